/// A call of the protocol.
enum Method: String, Sendable, CaseIterable {
    case describe, probe, apply, lookUp, read, page, capture

    /// What a capability's calls stand under in the description; nil for what every driver answers.
    var isCapability: Bool {
        switch self {
        case .describe, .probe, .apply: false
        case .lookUp, .read, .page, .capture: true
        }
    }
}
