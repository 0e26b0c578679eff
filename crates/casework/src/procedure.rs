//! The procedure (办理程序) of a programme: states, acts, clocks, publicity and sampling, read from `procedure.toml`.
//!
//! Mechanism is code, law is data: this room knows what an act can need and what it can effect, and nothing about any
//! benefit. The loader finds all mistakes at once and says where each one is. Deliberately absent: tables, officers'
//! names, the clock on the wall.
//!
//! # Grammar of `procedure.toml`
//!
//! Every `zh`/`en` pair is obligatory (both languages). Lists may be left out where a default is named.
//!
//! ```toml
//! [procedure]
//! applies    = "household"                # "household": one case a family · "person": one case for each person chosen
//! may_apply  = ["member", "guardian", "agent"]   # of: member guardian agent committee organisation
//! channels   = ["window", "home_visit", "online"] # of: window home_visit online post referral
//! start      = "submitted"                # the state a submitted case stands in
//! decided_by = "street"                   # who signs: community | street | district | prefecture | province
//! article    = "mz57:4"                   # the citation the procedure rests on (law id : anchor, as in rules.toml)
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
//! article = "mz57:11"                     # optional: shown with the act
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
//! [review]                                # 定期核查, optional: a task of kind "review" after the grant
//! amount = 12
//! unit   = "m"
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
//! | `appeal` / `answer_appeal` | registers an appeal / answers it |
//! | `extend` | extends the clock named in `clock` to its `extend_to`; needs an opinion |
//!
//! ## The loader refuses
//!
//! unknown role, state, act, effect, clock, evidence kind, fact, letter; a state nobody reaches; a state without a way
//! out that is neither final nor in force; a clock on an unknown act or state; `extend_to` below `amount`; wording
//! missing in one language; an act with effect grant, change, refuse or stop without `other_than` (two people decide);
//! a grant that does not need a determination *met* although the programme has a benefit; publicity fields other than
//! the three; sampling on an unknown act; two things of one kind with one id.

pub mod read;

use access::Role;
use policy::{FactDef, Kind};
use serde::{Deserialize, Serialize};
use vocab::Citation;

pub use read::read;

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

/// What an act does besides moving the case (行为的效果). A closed list: packs choose, code does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing else.
    None,
    /// Acceptance (受理).
    Accept,
    /// One request for everything missing (一次性告知).
    RequestSupplement,
    /// The applicant supplied it (补正).
    Supply,
    /// Ask the rule book and store its answer (测算).
    Determine,
    /// Put up the notice (公示).
    StartPublicity,
    /// Take down the notice (公示期满).
    EndPublicity,
    /// Register an objection (异议).
    Object,
    /// Settle an objection (异议处理).
    SettleObjection,
    /// Grant (确认给予).
    Grant,
    /// Change the amount (调整).
    Change,
    /// Refuse (不予确认).
    Refuse,
    /// Suspend (暂停).
    Suspend,
    /// Resume (恢复).
    Resume,
    /// Hear (听取意见).
    Hear,
    /// Stop (停止).
    Stop,
    /// Withdraw (撤回申请).
    Withdraw,
    /// Terminate (终止程序).
    Terminate,
    /// Register an appeal (申诉).
    Appeal,
    /// Answer an appeal (申诉答复).
    AnswerAppeal,
    /// Extend a clock (延长时限).
    Extend,
}

impl Effect {
    /// Its word in `procedure.toml`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Accept => "accept",
            Self::RequestSupplement => "request_supplement",
            Self::Supply => "supply",
            Self::Determine => "determine",
            Self::StartPublicity => "start_publicity",
            Self::EndPublicity => "end_publicity",
            Self::Object => "object",
            Self::SettleObjection => "settle_objection",
            Self::Grant => "grant",
            Self::Change => "change",
            Self::Refuse => "refuse",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Hear => "hear",
            Self::Stop => "stop",
            Self::Withdraw => "withdraw",
            Self::Terminate => "terminate",
            Self::Appeal => "appeal",
            Self::AnswerAppeal => "answer_appeal",
            Self::Extend => "extend",
        }
    }

    /// Whether a second person must take it: it gives, changes, refuses or takes away a right.
    pub const fn is_decision(self) -> bool {
        matches!(self, Self::Grant | Self::Change | Self::Refuse | Self::Stop)
    }
}

const EFFECTS: &[Effect] = &[
    Effect::None,
    Effect::Accept,
    Effect::RequestSupplement,
    Effect::Supply,
    Effect::Determine,
    Effect::StartPublicity,
    Effect::EndPublicity,
    Effect::Object,
    Effect::SettleObjection,
    Effect::Grant,
    Effect::Change,
    Effect::Refuse,
    Effect::Suspend,
    Effect::Resume,
    Effect::Hear,
    Effect::Stop,
    Effect::Withdraw,
    Effect::Terminate,
    Effect::Appeal,
    Effect::AnswerAppeal,
    Effect::Extend,
];

/// Who may do an act (可为此行为者): an officer's role, or the public through the public door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doer {
    /// Officers with this role.
    Officer(Role),
    /// The public (公众).
    Public,
}

/// One act (办理行为).
#[derive(Debug, Clone)]
pub struct Act {
    /// Its word in the data.
    pub id: String,
    /// The button's word.
    pub zh: String,
    /// The button's word, English.
    pub en: String,
    /// Who may do it.
    pub roles: Vec<Doer>,
    /// In which states.
    pub from: Vec<String>,
    /// The state after, `None`: unchanged.
    pub to: Option<String>,
    /// What else it does.
    pub effect: Effect,
    /// Acts whose actors may not do this one.
    pub other_than: Vec<String>,
    /// Kinds of tasks it settles.
    pub closes: Vec<TaskKind>,
    /// The letter issued with it.
    pub letter: Option<String>,
    /// The clock an `extend` extends.
    pub clock: Option<String>,
    /// The article it rests on.
    pub article: Option<Citation>,
    /// A sentence shown before it is done.
    pub confirm_zh: Option<String>,
    /// The same, English.
    pub confirm_en: Option<String>,
    /// What must be there.
    pub needs: Needs,
    /// What the officer fills in.
    pub fields: Vec<Field>,
    /// Reasons the officer may choose from.
    pub grounds: Vec<Ground>,
}

/// What an act needs (行为的前提).
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// A written opinion.
    pub opinion: bool,
    /// So many different people.
    pub participants: usize,
    /// Evidence kinds.
    pub evidence: Vec<String>,
    /// Outcomes of the rule book that allow it; empty: not asked.
    pub determination: Vec<policy::Outcome>,
    /// Every adult has authorised the enquiry.
    pub authorised: bool,
    /// The notice is over and unobjected.
    pub publicity_over: bool,
    /// A hearing record.
    pub hearing: Option<HearingNeed>,
    /// A ground or a condition not met.
    pub ground: bool,
    /// An open task of this kind.
    pub task: Option<TaskKind>,
    /// Acts already done since acceptance.
    pub acts: Vec<String>,
}

/// When a hearing (听取意见) must have taken place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HearingNeed {
    /// Always.
    Always,
    /// Only if the amount falls.
    IfLess,
}

/// The type of a field (栏目类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Words.
    Text,
    /// Yes or no.
    Bool,
    /// A whole number.
    Count,
    /// An amount in fen.
    Money,
    /// A day.
    Date,
    /// One of a list.
    Code,
}

impl FieldType {
    /// Whether an answer of this type can be recorded as that fact.
    pub fn agrees_with(self, fact: &FactDef) -> bool {
        match self {
            Self::Text => fact.kind == Kind::Text,
            Self::Bool => fact.kind == Kind::Bool,
            Self::Count => fact.kind == Kind::Count,
            Self::Money => fact.kind.is_money(),
            Self::Date => fact.kind == Kind::Date,
            Self::Code => matches!(fact.kind, Kind::Code | Kind::Text),
        }
    }
}

/// One field of an act (行为的栏目).
#[derive(Debug, Clone)]
pub struct Field {
    /// Its word in the data.
    pub id: String,
    /// Its label.
    pub zh: String,
    /// Its label, English.
    pub en: String,
    /// Its type.
    pub kind: FieldType,
    /// The choices of a code.
    pub codes: Vec<Named>,
    /// Whether it must be filled in.
    pub required: bool,
    /// The fact the answer is recorded as.
    pub fact: Option<String>,
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

/// A reason an officer may choose (法定事由).
#[derive(Debug, Clone)]
pub struct Ground {
    /// Its word in the data.
    pub id: String,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// The article.
    pub article: Citation,
}

/// The unit of a time limit (时限单位).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitUnit {
    /// Working days (工作日).
    #[serde(rename = "wd")]
    WorkingDays,
    /// Calendar days (自然日).
    #[serde(rename = "d")]
    Days,
    /// Months (月).
    #[serde(rename = "m")]
    Months,
}

/// A length of time (期限长度).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// How many.
    pub amount: u16,
    /// Of what.
    pub unit: LimitUnit,
}

/// A clock's rule (时限规则).
#[derive(Debug, Clone)]
pub struct ClockRule {
    /// Its word in the data.
    pub id: String,
    /// Its name.
    pub zh: String,
    /// Its name, English.
    pub en: String,
    /// How long.
    pub limit: Limit,
    /// Acts that start it (`submit` = submission).
    pub starts_on: Vec<String>,
    /// Acts that stop it.
    pub stops_on: Vec<String>,
    /// States in which it stands still.
    pub pauses_in: Vec<String>,
    /// The longest total.
    pub extend_to: Option<u16>,
    /// The article.
    pub article: Citation,
}

/// A remedy (救济途径).
#[derive(Debug, Clone)]
pub struct Remedy {
    /// Within.
    pub limit: Limit,
    /// The article.
    pub article: Citation,
    /// To whom.
    pub to_zh: String,
    /// To whom, English.
    pub to_en: String,
}

/// Where a notice is posted (公示地点).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticePlace {
    /// In the community (社区、村).
    Community,
    /// In the street (街道).
    Street,
    /// In the district (区).
    District,
}

/// What a notice may show (公示内容). There is nothing else to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeField {
    /// The applicant's name (申请人姓名).
    Name,
    /// How many members (家庭成员数量).
    MemberCount,
    /// The amount (金额).
    Amount,
}

/// The publicity rule (公示规则).
#[derive(Debug, Clone)]
pub struct PublicityRule {
    /// Days after the day of posting.
    pub days: u16,
    /// The article.
    pub article: Citation,
    /// What is shown.
    pub fields: Vec<NoticeField>,
    /// Where.
    pub place: NoticePlace,
}

/// The sampling rule (抽查规则).
#[derive(Debug, Clone)]
pub struct SamplingRule {
    /// The act that draws.
    pub on: String,
    /// How many in a hundred.
    pub rate_percent: u8,
    /// Whose task it becomes.
    pub desk: Role,
    /// Within.
    pub within: Option<Limit>,
    /// The article.
    pub article: Citation,
}

/// The periodic review (定期核查).
#[derive(Debug, Clone)]
pub struct ReviewRule {
    /// After.
    pub limit: Limit,
    /// Whose task it becomes.
    pub desk: Role,
    /// The article.
    pub article: Citation,
}

/// The kinds of to-do (待办种类).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// The case's own next step (办理).
    Turn,
    /// The case waits for the applicant (等待补正).
    Waiting,
    /// The notice is up, or over (公示).
    Publicity,
    /// A case drawn for checking (抽查).
    Sample,
    /// An open objection (异议).
    Objection,
    /// An open appeal (申诉).
    Appeal,
    /// A periodic review (定期核查).
    Review,
    /// A payment the bank returned (银行退回).
    ReturnedPayment,
}

impl TaskKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::Turn,
        Self::Waiting,
        Self::Publicity,
        Self::Sample,
        Self::Objection,
        Self::Appeal,
        Self::Review,
        Self::ReturnedPayment,
    ];

    /// Its word in data and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::Waiting => "waiting",
            Self::Publicity => "publicity",
            Self::Sample => "sample",
            Self::Objection => "objection",
            Self::Appeal => "appeal",
            Self::Review => "review",
            Self::ReturnedPayment => "returned_payment",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Turn => ("待办理", "To do"),
            Self::Waiting => ("等待申请人补正", "Waiting for the applicant"),
            Self::Publicity => ("公示", "Public notice"),
            Self::Sample => ("抽查", "Sample check"),
            Self::Objection => ("异议待处理", "Objection to settle"),
            Self::Appeal => ("申诉待答复", "Appeal to answer"),
            Self::Review => ("定期核查", "Periodic review"),
            Self::ReturnedPayment => ("银行退回待处理", "Payment returned by the bank"),
        }
    }
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
