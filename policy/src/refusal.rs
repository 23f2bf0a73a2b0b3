//! The one list of reasons to say no.
//!
//! A refusal names a reason from a closed list and may quote the asker's own text. It can hold nothing else, so it
//! cannot hold data. One table gives the stable code, the HTTP and gRPC status, and the words in both languages.

use std::fmt;

use serde::Serialize;

use crate::public::{Public, quote};

/// A gRPC status, by its number in the gRPC specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrpcStatus(pub i32);

const INVALID: GrpcStatus = GrpcStatus(3);
const NOT_FOUND: GrpcStatus = GrpcStatus(5);
const EXISTS: GrpcStatus = GrpcStatus(6);
const DENIED: GrpcStatus = GrpcStatus(7);
const EXHAUSTED: GrpcStatus = GrpcStatus(8);
const PRECONDITION: GrpcStatus = GrpcStatus(9);
const UNIMPLEMENTED: GrpcStatus = GrpcStatus(12);
const INTERNAL: GrpcStatus = GrpcStatus(13);
const UNAVAILABLE: GrpcStatus = GrpcStatus(14);
const UNAUTHENTICATED: GrpcStatus = GrpcStatus(16);

macro_rules! reasons {
    ($($name:ident $code:literal $http:literal $grpc:ident $en:literal $zh:literal;)*) => {
        /// Why a request was refused. The code is stable; the words may be improved.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = concat!("```text\n", $en, "\n```")] $name,)*
        }

        impl Reason {
            /// Every reason, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code, the same over HTTP, gRPC and in the audit log.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status.
            pub const fn http(self) -> u16 {
                match self { $(Self::$name => $http,)* }
            }

            /// The gRPC status.
            pub const fn grpc(self) -> GrpcStatus {
                match self { $(Self::$name => $grpc,)* }
            }

            /// What is wrong and what to do, in English.
            pub const fn english(self) -> &'static str {
                match self { $(Self::$name => $en,)* }
            }

            /// What is wrong and what to do, in Chinese.
            pub const fn chinese(self) -> &'static str {
                match self { $(Self::$name => $zh,)* }
            }
        }
    };
}

reasons! {
    Unauthenticated "unauthenticated" 401 UNAUTHENTICATED
        "no valid token or client certificate came with the request; send `authorization: Bearer <token>`, or sign in with your account and a token as the password"
        "请求没有有效令牌或客户端证书；请发送 `authorization: Bearer <令牌>`，或以账号及令牌（作为密码）登录";
    CertificateRefused "certificate-refused" 401 UNAUTHENTICATED
        "you are not let in by client certificate; have a data officer register a valid one and connect with it, or with a token alone where your role needs no certificate"
        "客户端证书未通过；请由数据专员登记有效证书并用其连接；若您的角色不要求证书，也可仅用令牌连接";
    TooManyAttempts "too-many-attempts" 429 EXHAUSTED
        "too many sign-ins from your address have failed; check account and token, wait a minute and try again"
        "来自您地址的登录失败次数过多；请检查账号与令牌，一分钟后再试";
    SessionUnknown "session-unknown" 404 NOT_FOUND
        "the session is not known here or is past its time, and its options with it; connect anew and set them again"
        "会话不存在或已过期，其选项一并失效；请重新连接并再次设置";
    RoleForbidden "role-forbidden" 403 DENIED
        "your role may not do this; ask somebody whose role may"
        "您的角色无权执行此操作；请由有权限的角色办理";
    BadRequest "bad-request" 400 INVALID
        "the request does not have the form that this call takes; compare it with the API document"
        "请求格式不符合该接口的要求；请对照接口文档";
    NotFound "not-found" 404 NOT_FOUND
        "there is nothing of this name that you may see; check the name against the list"
        "没有您可见的同名对象；请对照列表检查名称";
    SqlTooLong "sql-too-long" 400 INVALID
        "the statement is longer than 16 KiB; shorten it"
        "语句超过 16 KiB；请缩短";
    SqlTooManyTokens "sql-too-many-tokens" 400 INVALID
        "the statement has more than 1000 tokens; shorten it"
        "语句超过 1000 个词法单元；请缩短";
    SqlTooManyOperators "sql-too-many-operators" 400 INVALID
        "the statement has more than 128 operators or 32 nested parentheses; split it or simplify the expressions"
        "语句的运算符超过 128 个或括号嵌套超过 32 层；请拆分或简化表达式";
    SqlSyntax "sql-syntax" 400 INVALID
        "the statement cannot be parsed; correct it near the quoted text"
        "语句无法解析；请在所引文字附近修改";
    StatementRefused "statement-refused" 400 UNIMPLEMENTED
        "only one SELECT or EXPLAIN PRIVACY statement is accepted; write the question as a SELECT with aggregates"
        "只接受一条 SELECT 或 EXPLAIN PRIVACY 语句；请用带聚合的 SELECT 提问";
    ExplainRefused "explain-refused" 400 UNIMPLEMENTED
        "EXPLAIN shows what data did; write EXPLAIN PRIVACY SELECT … for cost and expected error"
        "EXPLAIN 会泄露数据信息；请使用 EXPLAIN PRIVACY SELECT … 查看代价与预期误差";
    ClauseRefused "clause-refused" 400 UNIMPLEMENTED
        "this clause is not supported over private rows; ask one SELECT over one dataset, through WITH and subqueries in FROM if wanted, with WHERE, GROUP BY, HAVING, ORDER BY and LIMIT"
        "私有数据上不支持该子句；请使用单一数据集的 SELECT（可经由 WITH 与 FROM 中的子查询），可带 WHERE、GROUP BY、HAVING、ORDER BY、LIMIT";
    JoinRefused "join-refused" 400 UNIMPLEMENTED
        "this join is not supported; join one dataset with public tables by INNER or LEFT JOIN that keeps the dataset's rows, ON equality with all columns of a set that the public table's manifest declares `unique`"
        "不支持该连接；请将一个数据集与公开表作 INNER 或（保留数据集行的）LEFT JOIN，ON 条件须以等值覆盖公开表清单中声明为 `unique` 的一组列";
    NotAggregated "not-aggregated" 400 INVALID
        "rows themselves never leave; aggregate with COUNT(*), COUNT(DISTINCT unit), SUM, AVG, VAR or STDDEV"
        "原始行不出域；请使用 COUNT(*)、COUNT(DISTINCT 单位)、SUM、AVG、VAR 或 STDDEV 聚合";
    AggregateRefused "aggregate-refused" 400 UNIMPLEMENTED
        "this aggregate is not available; use COUNT(*), COUNT(x), COUNT(DISTINCT <unit column>), SUM(x), AVG(x), VAR(x), VAR_POP(x), STDDEV(x) or STDDEV_POP(x), with FILTER (WHERE …) if wanted, without ORDER BY and other DISTINCT"
        "不支持该聚合；请使用 COUNT(*)、COUNT(x)、COUNT(DISTINCT <单位列>)、SUM(x)、AVG(x)、VAR(x)、VAR_POP(x)、STDDEV(x) 或 STDDEV_POP(x)，可带 FILTER (WHERE …)，不带 ORDER BY 与其他 DISTINCT";
    FunctionRefused "function-refused" 400 UNIMPLEMENTED
        "this function is not one of those that cannot fail on any row; write what is quoted after the arrow, if anything is, or use another of docs/functions.md, such as ROUND, ABS, SQRT, LN, POWER, COALESCE, NULLIF, GREATEST, LEAST, LOWER, TRIM, SUBSTR, REPLACE, CONCAT, REGEXP_LIKE, EXTRACT or DATE_TRUNC (of YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND; EXTRACT also of DOY, DOW, ISODOW)"
        "该函数不属于“对任何行都不会出错”的函数；如所引文字中有箭头，请改写为箭头后的形式，或使用 docs/functions.md 中的其他函数，如 ROUND、ABS、SQRT、LN、POWER、COALESCE、NULLIF、GREATEST、LEAST、LOWER、TRIM、SUBSTR、REPLACE、CONCAT、REGEXP_LIKE、EXTRACT 或 DATE_TRUNC（YEAR、QUARTER、MONTH、WEEK、DAY、HOUR、MINUTE、SECOND；EXTRACT 另有 DOY、DOW、ISODOW）";
    ExpressionRefused "expression-refused" 400 UNIMPLEMENTED
        "this expression is not supported over private rows; use columns, literals, arithmetic, comparison, AND, OR, NOT, IN, BETWEEN, CASE, ||, and LIKE, ILIKE or REGEXP_LIKE with a literal pattern of moderate size"
        "私有数据上不支持该表达式；请使用列、字面量、算术、比较、AND、OR、NOT、IN、BETWEEN、CASE、||，以及模式为适度大小字面量的 LIKE、ILIKE、REGEXP_LIKE";
    TypeRefused "type-refused" 400 INVALID
        "the expression mixes types that do not fit; compare and add values of the same kind, or use TRY_CAST"
        "表达式中的类型不匹配；请比较或相加同类值，或使用 TRY_CAST";
    TableUnknown "table-unknown" 404 NOT_FOUND
        "there is no such dataset; list the datasets and write <domain>.<dataset>"
        "没有该数据集；请先列出数据集，并写作 <领域>.<数据集>";
    FootageRefused "footage-refused" 400 UNIMPLEMENTED
        "the dataset is footage: its rows are pixels and belong to nobody known, so no SQL reads them; submit a job of kind map, which sees one chunk at a time"
        "该数据集为视频：其行为像素，不属于任何已知的人，因此不可用 SQL 读取；请提交 map 作业，逐个片段计算";
    ColumnUnknown "column-unknown" 400 INVALID
        "the dataset has no such column; look at its columns first"
        "数据集没有该列；请先查看其列";
    ColumnIsIdentifier "column-is-identifier" 403 DENIED
        "the column identifies persons directly and cannot be used in any role; choose another column"
        "该列为直接标识符，任何用途均不可用；请改用其他列";
    GroupKeyNotPublic "group-key-not-public" 400 INVALID
        "the values of this column are not a public list, so its groups would reveal who is there; group by a column with a public key list, by a part of a date such as EXTRACT(MONTH FROM x), by years, months or days where the manifest declares `days`, or by a column that the manifest marks for thresholded keys"
        "该列的取值不是公开列表，分组会泄露谁在其中；请按有公开键表的列、日期的组成部分（如 EXTRACT(MONTH FROM x)）分组；若清单声明了 `days`，也可按年、月、日分组；清单标明可用阈值键的列亦可";
    TooManyGroups "too-many-groups" 400 INVALID
        "the public key lists multiply to more than 65536 groups; group by fewer columns"
        "公开键表相乘超过 65536 组；请减少分组列";
    TooManyKeys "too-many-keys" 400 INVALID
        "the keys of this grouping are found in rows, and by the declared number of units there could be more of them than one answer has noise for; ask for a smaller max_groups_contributed or fewer aggregates"
        "该分组的键取自数据行，按声明的单位数可能多于一次回答所能加噪的数量；请减小 max_groups_contributed 或减少聚合";
    ThresholdNeedsDelta "threshold-needs-delta" 400 INVALID
        "the keys of this grouping are found in rows, so that only those of enough units may appear, which takes a delta above 0; ask for one, such as delta = 1e-9, or group by public keys"
        "该分组的键取自数据行，只有单位数足够多的键才可出现，这需要大于 0 的 delta；请指定 delta（如 delta = 1e-9），或按公开键分组";
    BoundsMissing "bounds-missing" 400 INVALID
        "no declared bounds reach this expression; write SUM(x, contribution_bounds_per_row => (low, high))"
        "该表达式推不出声明的上下界；请写 SUM(x, contribution_bounds_per_row => (下界, 上界))";
    BoundsInvalid "bounds-invalid" 400 INVALID
        "the bounds cannot be used; write two finite numbers, the lower first and smaller"
        "上下界无效；请写两个有限数，先下界后上界且下界较小";
    OptionUnknown "option-unknown" 400 INVALID
        "there is no such option; use epsilon, delta, max_groups_contributed or mechanism"
        "没有该选项；可用 epsilon、delta、max_groups_contributed、mechanism";
    OptionInvalid "option-invalid" 400 INVALID
        "the option's value is out of range, or the option is there twice; give it once: epsilon above 0 and at most 100, delta at least 0 and at most 0.001, max_groups_contributed a whole number from 1, mechanism 'gaussian' or 'laplace'"
        "选项取值超出范围或重复给出；请只给一次：epsilon 大于 0 且不超过 100，delta 在 0 与 0.001 之间，max_groups_contributed 为不小于 1 的整数，mechanism 为 'gaussian' 或 'laplace'";
    OverflowPossible "overflow-possible" 400 INVALID
        "the declared sizes allow sums beyond the exact range; narrow the bounds or coarsen the expression"
        "按声明规模，和可能超出精确整数范围；请收窄上下界";
    TooExpensive "too-expensive" 400 INVALID
        "by the declared sizes this would take longer than one answer may; use fewer groups, or simpler expressions with fewer casts between text and numbers"
        "按声明的规模，该查询所需时间超过单次回答的上限；请减少分组，或简化表达式、减少文本与数字间的转换";
    ParameterMissing "parameter-missing" 400 INVALID
        "the statement has placeholders without values; bind every parameter before you run it"
        "语句含未绑定的占位符；请先绑定全部参数";
    NotPermitted "not-permitted" 403 DENIED
        "policy does not permit this column in this role for your contract and purpose; ask the data officer or leave the column out"
        "策略不允许以该用途、该角色使用此列；请联系数据专员或去掉该列";
    ContractUnknown "contract-unknown" 403 DENIED
        "your organisation has no contract that covers this dataset; apply for one"
        "贵单位没有覆盖该数据集的合同；请先申请";
    ContractInactive "contract-inactive" 403 DENIED
        "the contract is not in force now; renew it or wait until it starts"
        "合同当前不在有效期内；请续签或待其生效";
    EpsilonAboveCap "epsilon-above-cap" 403 DENIED
        "epsilon or delta is above what the contract allows for one query; ask for less"
        "epsilon 或 delta 超过合同的单次上限；请降低";
    ContributionAboveCap "contribution-above-cap" 403 DENIED
        "max_groups_contributed is above what the contract allows; ask for fewer groups"
        "max_groups_contributed 超过合同上限；请降低";
    ContractBudgetSpent "contract-budget-spent" 429 EXHAUSTED
        "the contract's privacy budget does not cover this; ask for a smaller epsilon (for thresholded keys also a smaller delta) or a new contract"
        "合同剩余隐私预算不足；请降低 epsilon（使用阈值键时亦可降低 delta）或另签合同";
    DayBudgetSpent "day-budget-spent" 429 EXHAUSTED
        "the contract's privacy budget for today does not cover this; ask for a smaller epsilon or come back tomorrow (UTC)"
        "合同当日隐私预算不足；请降低 epsilon 或次日（UTC）再试";
    DomainBudgetSpent "domain-budget-spent" 429 EXHAUSTED
        "the lifetime privacy budget of these persons does not cover this; what was released already stays available"
        "这些个体的终身隐私预算不足；已发布的结果仍可获取";
    Lost "lost" 500 INTERNAL
        "the request could not be finished and stays charged; the operator has been told"
        "请求未能完成，代价不予退回；已通知运维人员";
    Frozen "frozen" 403 DENIED
        "this account is frozen, by a data officer or after requests that were lost; ask the bureau"
        "该账号已被冻结（由数据专员冻结，或因多次请求丢失）；请联系数据机构";
    DatasetFrozen "dataset-frozen" 403 DENIED
        "the dataset is frozen by a data officer; ask the bureau"
        "该数据集已被数据专员冻结；请联系数据机构";
    ContractFrozen "contract-frozen" 403 DENIED
        "the contract is frozen by a data officer; ask the bureau"
        "该合同已被数据专员冻结；请联系数据机构";
    FreezeInvalid "freeze-invalid" 409 PRECONDITION
        "it stands so already, the reason is missing or longer than 1,000 bytes, or the person is no analyst; look at the list of freezes"
        "状态已是如此、缺少理由或理由超过 1000 字节，或该人员不是分析方；请查看冻结列表";
    Busy "busy" 503 UNAVAILABLE
        "all places are reserved; try again later"
        "暂无空闲名额；请稍后再试";
    TicketUnknown "ticket-unknown" 404 NOT_FOUND
        "the ticket is not known here or is past its time; ask the question again"
        "票据不存在或已过期；请重新提问";
    ManifestInvalid "manifest-invalid" 400 INVALID
        "the manifest is not valid; correct what the report names"
        "清单无效；请按报告修改";
    IngestRefused "ingest-refused" 400 INVALID
        "the file does not fit its manifest; correct what the report names"
        "文件与清单不符；请按报告修改";
    DatasetExists "dataset-exists" 409 EXISTS
        "a dataset of this name is registered already; choose another name"
        "同名数据集已登记；请另取名称";
    ContractInvalid "contract-invalid" 400 INVALID
        "the contract is not valid; correct what the message names and sign it again"
        "合同无效；请按提示修改并重新签署";
    ApplicationInvalid "application-invalid" 400 INVALID
        "the application is not valid; correct the quoted key or column, and hand it in again"
        "申请无效；请修改所引的键或列后重新提交";
    ApplicationsWaiting "applications-waiting" 429 EXHAUSTED
        "as many applications of this organisation as may wait are waiting for an officer; withdraw one or wait for an answer"
        "本单位待办申请已达上限；请撤回其中之一或等待答复";
    ApplicationsToday "applications-today" 429 EXHAUSTED
        "this organisation has handed in as many applications as it may within 24 hours, whatever became of them; try again tomorrow"
        "本单位 24 小时内提交的申请已达上限（含已撤回或已答复者）；请明日再试";
    ApplicationClosed "application-closed" 409 PRECONDITION
        "the application is answered or withdrawn, or is another firm's or about another dataset than the contract; look at its status"
        "该申请已有答复或已撤回，或其单位、数据集与合同不符；请查看其状态";
    ContractExists "contract-exists" 409 EXISTS
        "a contract of this name exists and contracts never change; choose another name"
        "同名合同已存在且合同不可更改；请另取名称";
    SignatureInvalid "signature-invalid" 403 DENIED
        "the signature does not belong to a registered officer and this very text; sign it again with the officer's key"
        "签名与已登记专员及该文本不符；请用专员密钥重新签署";
    AllotmentAboveDomain "allotment-above-domain" 409 PRECONDITION
        "the allotment is more than the budget domain has left to promise; grant a smaller one"
        "额度超过预算域可承诺的余量；请降低";
    JobManifestInvalid "job-manifest-invalid" 400 INVALID
        "the job manifest is not valid; correct the quoted key"
        "作业清单无效；请修改所引的键";
    ModuleInvalid "module-invalid" 400 INVALID
        "the module is not one that the sandbox runs; build it with the guest SDK's settings and look at `glovebox job check`"
        "该模块不符合沙箱要求；请用客体 SDK 的设置构建，并查看 `glovebox job check`";
    JobTooExpensive "job-too-expensive" 400 INVALID
        "by the declared sizes this job would take longer than one answer may; declare less fuel a unit"
        "按声明的规模，该作业所需时间超过单次回答的上限；请减少每单位燃料";
    ApprovalMissing "approval-missing" 409 PRECONDITION
        "no officer has approved this job; wait for the review"
        "该作业尚未获专员批准；请等待审核";
    ApprovalInvalid "approval-invalid" 403 DENIED
        "the statement is not about this very job; show the request again and sign anew"
        "签署的声明与该作业不符；请重新查看请求并再次签署";
    ApprovalExpired "approval-expired" 409 PRECONDITION
        "the time for this has passed; submit the job again"
        "已过期限；请重新提交作业";
    ExecutionsSpent "executions-spent" 429 EXHAUSTED
        "the job was run as often as its approval allows; its results stay available"
        "该作业已达批准的执行次数；既有结果仍可获取";
    OwnRequest "own-request" 403 DENIED
        "nobody decides on requests, applications, contracts or freezes of the own organisation; ask another officer"
        "任何人不得办理本单位的请求、申请、合同或冻结；请由其他专员办理";
    JobClosed "job-closed" 409 PRECONDITION
        "the job is decided, cancelled or expired; look at its status"
        "该作业已有决定、已取消或已过期；请查看其状态";
    AlreadyDecided "already-decided" 409 EXISTS
        "you have decided on this job; another officer has to"
        "您已对该作业作出决定；须由另一位专员决定";
    OfficersMissing "officers-missing" 409 PRECONDITION
        "a contract of this risk class needs as many officers outside the firm, with a key each, as decide on a job; register them first"
        "此风险等级的合同需要足够的外单位专员，且各有登记密钥；请先登记";
    JobsWaiting "jobs-waiting" 429 EXHAUSTED
        "as many jobs of this organisation as may wait are waiting for review; call one back or wait for a verdict"
        "本单位待审作业已达上限；请撤回其中之一或等待审批结果";
    JobsToday "jobs-today" 429 EXHAUSTED
        "this organisation has handed in as many jobs as it may within 24 hours; try again tomorrow"
        "本单位 24 小时内提交的作业已达上限；请明日再试";
    NotReleased "not-released" 409 PRECONDITION
        "there is no result yet; run the job and wait until its status is `released`"
        "尚无结果；请运行作业并等到状态为 `released`";
    ReplayImpossible "replay-impossible" 409 PRECONDITION
        "this decision cannot be made again from what is here; read what is quoted"
        "无法依据现有资料重现该决定；请查看所引说明";
    Internal "internal" 500 INTERNAL
        "the service failed; the operator has been told"
        "服务内部故障；已通知运维人员";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A no: the reason, and at most a short quotation of the asker's own text or of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    reason: Reason,
    about: Option<Public<String>>,
}

impl Refusal {
    /// A refusal that quotes nothing.
    pub const fn new(reason: Reason) -> Self {
        Self { reason, about: None }
    }

    /// A refusal that quotes what of the asker's own text it is about.
    pub fn about(reason: Reason, text: &str) -> Self {
        Self { reason, about: Some(quote(text)) }
    }

    /// The reason.
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The quotation, if there is one.
    pub fn quotation(&self) -> Option<&str> {
        self.about.as_ref().map(|text| text.get().as_str())
    }

    /// The whole message in English.
    pub fn english(&self) -> String {
        self.message(self.reason.english())
    }

    /// The whole message in Chinese.
    pub fn chinese(&self) -> String {
        self.message(self.reason.chinese())
    }

    fn message(&self, words: &str) -> String {
        match self.quotation() {
            Some(text) => format!("{}: {words}: `{text}`", self.reason.code()),
            None => format!("{}: {words}", self.reason.code()),
        }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english())
    }
}

impl std::error::Error for Refusal {}

/// How a refusal looks as JSON, the same on every face.
#[derive(Debug, Serialize)]
pub struct RefusalBody {
    /// The stable code.
    pub code: &'static str,
    /// What is wrong and what to do, in English.
    pub message: String,
    /// The same in Chinese.
    pub message_zh: String,
}

impl From<&Refusal> for RefusalBody {
    fn from(refusal: &Refusal) -> Self {
        Self { code: refusal.reason.code(), message: refusal.english(), message_zh: refusal.chinese() }
    }
}
