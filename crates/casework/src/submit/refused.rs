//! Why an application was not taken (不能提交原因): one variant a reason, each saying what to do next.

/// Why an application was not taken (不能提交原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such draft in the scope.
    #[error("在您的管辖范围内查不到这份申请，请从家庭页面重新开始")]
    NotThere,
    /// No key.
    #[error("页面缺少提交标识，请刷新后再提交")]
    KeyMissing,
    /// The same key with another content.
    #[error("同一次提交的内容前后不一致，请刷新页面核对后再提交")]
    KeyReused,
    /// Handed in before.
    #[error("这份申请已经提交过，请到办件中查看")]
    AlreadySubmitted,
    /// Nothing chosen.
    #[error("请至少选择一个申请事项")]
    NothingChosen,
    /// Chosen twice.
    #[error("事项“{0}”选了两次，请取消一个")]
    ChosenTwice(String),
    /// Not open.
    #[error("事项“{0}”不能申请，请取消勾选")]
    UnknownProgramme(String),
    /// For whom?
    #[error("“{0}”是个人事项，请选择给哪位家庭成员申请")]
    MemberMissing(String),
    /// Not for one person.
    #[error("“{0}”以家庭为单位申请，不选个人")]
    MemberNotWanted(String),
    /// Not of this household.
    #[error("所选的人不是这一户的成员，请核对家庭成员")]
    NotAMember,
    /// The applicant is not in the household although applying as a member.
    #[error("以家庭成员身份申请的，申请人应是这一户的成员")]
    ApplicantNotAMember,
    /// The register does not know the applicant or agent.
    #[error("申请人或代办人尚未登记，请先登记")]
    PersonUnknown,
    /// This programme takes no such applicant.
    #[error("“{0}”不接受这种身份的申请人，请改选")]
    MayNotApply(String),
    /// This programme takes no such channel.
    #[error("“{0}”不接受这种申请渠道，请改选")]
    ChannelClosed(String),
    /// Applying by an agent without naming one.
    #[error("代理申请请填写代办人及与申请人的关系")]
    AgentMissing,
    /// The agent is the applicant.
    #[error("代办人不能是申请人本人")]
    AgentIsApplicant,
    /// There is one already.
    #[error("“{programme}”已有在办或享受中的办件 {number}，不必重复申请")]
    AlreadyOpen {
        /// The programme's title.
        programme: String,
        /// The case's number.
        number: String,
    },
    /// A question that must be answered is not.
    #[error("还有必答的问题没有回答：{0}")]
    Unanswered(String),
    /// The register refused an answer.
    #[error("“{fact}”没有记入：{sentence}")]
    NotRecorded {
        /// The question.
        fact: String,
        /// Why.
        sentence: String,
    },
}

impl Refused {
    /// The sentence in English.
    pub fn en(&self) -> String {
        match self {
            Self::NotThere => {
                "This application is not found in your area; start again from the household".into()
            }
            Self::KeyMissing => "The page lacks its key; reload before submitting".into(),
            Self::KeyReused => {
                "The same submission came with another content; reload and check".into()
            }
            Self::AlreadySubmitted => {
                "This application was handed in already; see the cases".into()
            }
            Self::NothingChosen => "Choose at least one programme".into(),
            Self::ChosenTwice(title) => format!("“{title}” is chosen twice; untick one"),
            Self::UnknownProgramme(title) => format!("“{title}” cannot be applied for; untick it"),
            Self::MemberMissing(title) => format!("“{title}” is for one person; choose the member"),
            Self::MemberNotWanted(title) => {
                format!("“{title}” is for the household; choose no person")
            }
            Self::NotAMember => "The person chosen is not a member of this household".into(),
            Self::ApplicantNotAMember => {
                "Who applies as a member must be a member of this household".into()
            }
            Self::PersonUnknown => "Register the applicant or agent first".into(),
            Self::MayNotApply(title) => {
                format!("“{title}” does not take applicants in this capacity")
            }
            Self::ChannelClosed(title) => format!("“{title}” does not take applications this way"),
            Self::AgentMissing => "Name the agent and the relation to the applicant".into(),
            Self::AgentIsApplicant => "The agent cannot be the applicant".into(),
            Self::AlreadyOpen { programme, number } => {
                format!("“{programme}” has the case {number} already")
            }
            Self::Unanswered(question) => {
                format!("A question that must be answered is not: {question}")
            }
            Self::NotRecorded { fact, sentence } => {
                format!("“{fact}” was not recorded: {sentence}")
            }
        }
    }
}
