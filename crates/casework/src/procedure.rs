//! The procedure (办理程序) of a programme: states, acts, clocks, publicity and sampling, read from `procedure.toml`.
//!
//! Mechanism is code, law is data: this room knows what an act can need and what it can effect, and nothing about any
//! benefit. The loader finds all mistakes at once and says where each one is. Deliberately absent: tables, officers'
//! names, the clock on the wall.
//!
//! # A procedure in five lines
//!
//! ```toml
//! like = "allowance"                      # a template of packs/national/procedures, a programme, or "parent"
//! procedure.article = "elder:33"          # what has no article of its own takes this one
//! [articles]
//! act.confirm = "elder:33"
//! clock.total = "elder:34"
//! ```
//!
//! What `like`, `without`, `after` and `[articles]` do is said in `crate::like`; the rest of this page is the grammar of a
//! procedure as it then stands, whole. A programme without `procedure.toml` is answered by the rule book, and nobody can
//! apply for it.
//!
//! # Grammar of `procedure.toml`
//!
//! Every `zh`/`en` pair is obligatory (both languages). Lists may be left out where a default is named.
//!
//! ```toml
//! [procedure]
//! applies    = "household"                # left out: as rules.toml says (`[benefit] to`); "household": one case a family · "person": one case for each person chosen
//! may_apply  = ["member", "guardian", "agent"]   # of: member guardian agent committee organisation
//! channels   = ["window", "home_visit", "online"] # of: window home_visit online post referral
//! start      = "submitted"                # the state a submitted case stands in
//! decided_by = "street"                   # who signs: community | street | district | prefecture | province
//! article    = "mz57:4"                   # the citation the procedure rests on (law id : anchor, as in rules.toml); acts, grounds,
//!                                         # clocks, publicity, sampling and review that name none take this one
//! receipt    = "receipt"                  # the letter handed out at submission (letters/receipt.typ); optional
//!
//! [remedies]                              # 救济途径, printed on every decision; optional
//! review = { amount = 60, unit = "d", article = "xzfy2023:20", to_zh = "宝安区人民政府", to_en = "Bao'an District People's Government" }
//! suit   = { amount = 6,  unit = "m", article = "xzss2017:46", to_zh = "有管辖权的人民法院", to_en = "the competent people's court" }
//!
//! [[state]]
//! id   = "submitted"
//! zh   = "待受理"                          # what an officer reads
//! en   = "Waiting to be accepted"
//! kind = "working"                        # working | waiting (for the applicant) | publicity | in_force | suspended | final
//! desk = "window_officer"                 # whose turn it is (to-do list); obligatory for working and publicity, else optional;
//!                                         # on a final or in-force state: a task as long as a clock still runs (deliver the letter)
//! public_zh = "已提交，等待受理"             # what the applicant reads under the receipt code; optional, default = zh/en
//! public_en = "Received, waiting to be accepted"
//!
//! [[act]]
//! id     = "accept"
//! zh     = "受理"                          # the button's word
//! en     = "Accept"
//! roles  = ["window_officer", "street_reviewer"]   # who may do it, within their region; "public" = through the public door
//! from   = ["submitted"]                  # states it may be done in
//! to     = "investigating"                # the state after; left out: the case stays where it is
//! effect = "accept"                       # one of the closed list below; default "none"
//! other_than = []                         # acts of this case whose actors (and participants) may not do this one (回避/职责分离)
//! closes = ["sample"]                     # kinds of open tasks this act settles: sample objection appeal review returned_payment
//! letter = "granted"                      # letter issued with the act (letters/<word>.typ); optional
//! clock  = "total"                        # only with effect "extend": which clock is extended
//! article = "mz57:11"                     # shown with the act
//! confirm_zh = "…" ; confirm_en = "…"     # optional sentence shown before the act is done
//!
//! [act.needs]                             # all optional; an act is refused, by name, until everything it needs is there
//! opinion       = true                    # the actor's written opinion
//! participants  = 2                       # so many different people took part (the actor is not counted unless listed)
//! evidence      = ["visit_photo"]         # at least one evidence file of each kind is on the case (kinds: [[evidence]])
//! determination = ["met"]                 # the rule book's answer on the day of the act must be one of: met not_met to_verify
//! authorised    = true                    # every adult member has a valid authorisation (核对授权)
//! publicity_over = true                   # the notice has stood its full days and no objection is open
//! hearing       = "always"                # a hearing record since the last decision: "always" | "if_less" (only if the amount falls)
//! ground        = true                    # a ground of the list below, or at least one condition not met
//! task          = "sample"                # an open task of this kind
//! acts          = ["authorise_enquiry", "visit"]   # these acts have been done since the case was (last) accepted
//!
//! [[act.field]]                           # what the officer fills in; `fact` records the answer as a fact of the case's subject
//! id   = "visit_result"
//! zh   = "调查结论"
//! en   = "Result of the visit"
//! type = "code"                           # text | bool | count | money (fen) | date | code
//! codes = [ { code = "true", zh = "情况属实", en = "as declared" }, { code = "differs", zh = "与申报不一致", en = "differs" } ]
//! required = true                         # default true
//! fact = "dibao.visited"                  # optional; a fact of facts.toml whose type agrees (of household, or of person when applies = "person")
//!
//! [[act.ground]]                          # reasons other than a condition not met (for refuse, suspend, stop, terminate)
//! id = "not_cooperating"
//! zh = "拒绝配合家庭经济状况核对"
//! en = "Refused to cooperate with verification"
//! article = "mz57:29"
//!
//! [[evidence]]                            # kinds of evidence files
//! id = "visit_photo"
//! zh = "入户照片"
//! en = "Photograph of the visit"
//!
//! [[clock]]
//! id        = "total"
//! zh        = "审核确认时限"
//! en        = "Time limit of the decision"
//! amount    = 20
//! unit      = "wd"                        # wd working days (工作日) · d calendar days, rolled past holidays · m months
//! starts_on = ["accept"]                  # acts; "submit" = the submission itself
//! stops_on  = ["confirm", "refuse", "withdraw"]
//! pauses_in = ["supplementing", "publicity"]   # states in which it stands still (wd and d only)
//! extend_to = 45                          # longest total after an "extend" act; optional
//! article   = "mz57:22"
//!
//! [publicity]                             # obligatory as soon as an act has effect start_publicity, else forbidden
//! days    = 7                             # calendar days after the day of posting
//! article = "mz57:19"
//! fields  = ["name", "member_count", "amount"]   # exactly what the notice shows; nothing else exists to choose from
//! place   = "community"                   # community | street | district: where it is posted
//!
//! [sampling]                              # 抽查, optional
//! on       = "confirm"                    # drawn when this act is done
//! rate_percent = 30                       # 1–100; the draw follows from the case id alone, so anyone can re-check it
//! desk     = "district_approver"          # who gets the task of kind "sample"
//! within   = { amount = 30, unit = "wd" } # due date of that task; optional
//! article  = "tk:16"
//!
//! [review]                                # 定期核查, optional: a task of kind "review" so long after the grant and each review
//! amount = 12
//! unit   = "m"
//! by     = "review_class"                 # optional: the fact or variable that tells the class; the periods then are
//!                                         # [benefit] review = { A = "yearly", B = "half_yearly", C = "quarterly" }
//! desk   = "street_reviewer"
//! article = "mz57:31"
//! ```
//!
//! ## Effects (the closed list)
//!
//! | effect | what it does besides moving the case |
//! |---|---|
//! | `none` | nothing |
//! | `accept` | the case counts as accepted (受理) from today |
//! | `request_supplement` | tells the applicant once (一次性告知) everything that is missing: the officer's items and the facts the rule book misses; a second time is refused |
//! | `supply` | the applicant supplied what was asked |
//! | `determine` | the rule book is asked today and its answer stored with the case |
//! | `start_publicity` / `end_publicity` | puts the notice up / takes it down |
//! | `object` / `settle_objection` | registers an objection (异议) / settles one |
//! | `grant` | the decision to grant: quotes a determination *met*, creates the entitlement if the benefit is money |
//! | `change` | decides a new amount from a new determination |
//! | `refuse` | the decision to refuse, with every condition not met or a ground |
//! | `suspend` / `resume` | payment stops for the time being / goes on |
//! | `hear` | records that the person was heard (听取意见) |
//! | `stop` | the decision to stop, with a ground or a condition not met |
//! | `withdraw` / `terminate` | the applicant withdraws / the procedure ends without decision |
//! | `appeal` / `answer_appeal` | registers an appeal / answers it: the decision stands; never by who decided |
//! | `overturn` | answers an appeal: the last stop, suspension or change is set aside from its first month, each month since is asked of the rule book anew, and what was withheld is due; never by who decided |
//! | `extend` | extends the clock named in `clock` to its `extend_to`; needs an opinion |
//!
//! ## The loader refuses
//!
//! unknown role, state, act, effect, clock, evidence kind, fact, letter; a state nobody reaches; a state without a way
//! out that is neither final nor in force; a clock on an unknown act or state; `extend_to` below `amount`; wording
//! missing in one language; an act with effect grant, change, refuse, stop or overturn without `other_than` (two people decide);
//! a grant that does not need a determination *met* although the programme has a benefit; publicity fields other than
//! the three; sampling on an unknown act; two things of one kind with one id; a `like` that names nothing or leads in a
//! circle; a `without` or an entry of `[articles]` that names nothing. A fault names the file in which the offending key
//! stands and, if that is a file taken over, the file that took it over.

pub mod act;
mod check;
mod read;
mod read_act;
mod read_review;
pub mod rule;
pub mod task_kind;

pub use act::{Act, Doer, Effect, Field, FieldType, Ground, HearingNeed, Needs};
pub(crate) use read::read;
pub use rule::{
    ClockRule, Limit, LimitUnit, NoticeField, NoticePlace, PublicityRule, Remedy, ReviewRule,
    SamplingRule,
};
pub use task_kind::TaskKind;

use access::Role;
use serde::{Deserialize, Serialize};
use vocab::Citation;

/// A procedure (办理程序), checked.
#[derive(Debug, Clone)]
pub struct Procedure {
    /// The programme it belongs to.
    pub programme: String,
    /// One case a household, or one a person.
    pub applies: Applies,
    /// Who may hand in an application.
    pub may_apply: Vec<MayApply>,
    /// How an application may arrive.
    pub channels: Vec<Channel>,
    /// The state a submitted case stands in.
    pub start: String,
    /// The level whose name stands under the decision.
    pub decided_by: vocab::region::Level,
    /// Whether every household is asked about it.
    pub offered: Offered,
    /// What the procedure rests on.
    pub article: Citation,
    /// The letter handed out at submission.
    pub receipt: Option<String>,
    /// Administrative review (行政复议).
    pub review_remedy: Option<Remedy>,
    /// Administrative suit (行政诉讼).
    pub suit_remedy: Option<Remedy>,
    /// The states, in the order of the file.
    pub states: Vec<State>,
    /// The acts, in the order of the file.
    pub acts: Vec<Act>,
    /// The kinds of evidence.
    pub evidence: Vec<Named>,
    /// The clocks.
    pub clocks: Vec<ClockRule>,
    /// The public notice.
    pub publicity: Option<PublicityRule>,
    /// The sampling.
    pub sampling: Option<SamplingRule>,
    /// The periodic review.
    pub review: Option<ReviewRule>,
}

/// Whom a case is about (办件对象).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applies {
    /// One case a household (以家庭为单位).
    Household,
    /// One case a person (以个人为单位).
    Person,
}

/// Whether a programme is part of every new application (是否默认申请).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offered {
    /// Asked about in every application (每份申请都问).
    ToAll,
    /// Asked about when the officer or the applicant adds it (需要时加入).
    OnRequest,
}

/// Who may hand in an application (可以提出申请的人).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MayApply {
    /// A member of the household (家庭成员).
    Member,
    /// A guardian (监护人).
    Guardian,
    /// An agent with a power of attorney (代理人).
    Agent,
    /// The residents' or villagers' committee (村居委会代为申请).
    Committee,
    /// An organisation (机构).
    Organisation,
}

/// How an application arrived (申请渠道).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// At the window (窗口).
    Window,
    /// During a home visit (上门办理).
    HomeVisit,
    /// Online (网上).
    Online,
    /// By post (邮寄).
    Post,
    /// Referred by another office (转介).
    Referral,
}

/// What a state means for clocks and queues (状态的性质).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateKind {
    /// An officer has to act (办理中).
    Working,
    /// The applicant has to act (等待申请人).
    Waiting,
    /// A notice is up (公示中).
    Publicity,
    /// Granted and in force (享受中).
    InForce,
    /// Granted, suspended (暂停).
    Suspended,
    /// Ended (已办结).
    Final,
}

/// One state (状态).
#[derive(Debug, Clone)]
pub struct State {
    /// Its word in the data.
    pub id: String,
    /// Its wording for officers.
    pub zh: String,
    /// Its wording for officers, English.
    pub en: String,
    /// What it means.
    pub kind: StateKind,
    /// Whose turn it is.
    pub desk: Option<Role>,
    /// Its wording for the applicant.
    pub public_zh: String,
    /// Its wording for the applicant, English.
    pub public_en: String,
}

/// Something with an id and a wording in both languages (带双语名称的条目).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its word in the data.
    pub id: String,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Procedure {
    /// A state by its word.
    pub fn state(&self, id: &str) -> Option<&State> {
        self.states.iter().find(|state| state.id == id)
    }

    /// An act by its word.
    pub fn act(&self, id: &str) -> Option<&Act> {
        self.acts.iter().find(|act| act.id == id)
    }

    /// A clock by its word.
    pub fn clock(&self, id: &str) -> Option<&ClockRule> {
        self.clocks.iter().find(|clock| clock.id == id)
    }

    /// The state a granted case stands in (享受中); the place existing recipients are taken over into.
    pub fn in_force(&self) -> Option<&State> {
        self.states
            .iter()
            .find(|state| state.kind == StateKind::InForce)
    }

    /// The acts that can be done in a state, in the order of the file.
    pub fn acts_from<'a>(&'a self, state: &'a str) -> impl Iterator<Item = &'a Act> {
        self.acts
            .iter()
            .filter(move |act| act.from.iter().any(|from| from == state))
    }
}

impl StateKind {
    /// Its word in data and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Waiting => "waiting",
            Self::Publicity => "publicity",
            Self::InForce => "in_force",
            Self::Suspended => "suspended",
            Self::Final => "final",
        }
    }
}
