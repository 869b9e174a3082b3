/// What the kit checks; the raw value is the check's stable name.
public enum Check: String, Sendable, Hashable, CaseIterable {
    case manifest
    case identity
    case discovery
    case redelivery = "idempotent-redelivery"
    case intentRecovery = "intent-recovery"
    case lateCompletion = "late-completion"
    case halfDone = "half-done-resumed"
    case laneOrder = "order-within-lane"
    case laneConcurrency = "concurrency-across-lanes"
    case conditionalWrite = "conditional-write"
    case editBeforeReadBack = "edit-before-read-back"
    case rules
    case retryableAndFinal = "retryable-and-final"
    case unreachable
    case slow = "slow-and-time-out"
    case rateLimit = "rate-limit"
    case unknownField = "unknown-field"
    case hostileText = "hostile-text"
    case decimals = "exact-decimals"
    case dates = "exact-dates"
    case paging
    case capture
    case delete
    case functions
    case shutdown

    /// What it asks of a driver.
    public var summary: String {
        switch self {
        case .manifest: "the manifest does not contradict itself or the driver"
        case .identity: "the application says who it is, and says it again"
        case .discovery: "what the application holds is told: every type, every field that is written or mapped, rights"
        case .redelivery: "the same delivery twice has one effect"
        case .intentRecovery: "an answer that is lost leads to one document, complete"
        case .lateCompletion: "a call that takes effect after its time-out leads to one document, complete"
        case .halfDone: "a document that was begun and not finished is finished"
        case .laneOrder: "deliveries to one document take effect in their order"
        case .laneConcurrency: "calls at once and batches answer each delivery with its own document"
        case .conditionalWrite: "a write meant for an older state changes nothing"
        case .editBeforeReadBack: "a person's edit at any moment of a write is neither lost nor hidden"
        case .rules: "each rule of the manifest, broken, is answered by its name and changes nothing"
        case .retryableAndFinal: "what passes by itself is told apart from what does not"
        case .unreachable: "an application that cannot be reached is said to be, at once and truly"
        case .slow: "a slow application is waited for, a silent one is not"
        case .rateLimit: "the manifest's limits are kept"
        case .unknownField: "a member that the application does not have is refused, not dropped"
        case .hostileText: "text is kept exactly or refused"
        case .decimals: "decimals are kept exactly to their scale or refused"
        case .dates: "dates are kept exactly or refused"
        case .paging: "paging tells every document once, while documents change"
        case .capture: "every change is captured"
        case .delete: "a delete means what the manifest says"
        case .functions: "functions answer, refuse what is not there, say when nobody can tell, and write nothing"
        case .shutdown: "closing a busy driver ends every call"
        }
    }
}
