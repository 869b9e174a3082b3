/// A call of the protocol.
enum Method: String, Sendable, CaseIterable {
    case describe, probe, apply, lookUp, read, page, capture, answer, discover

    /// What a capability's calls stand under in the description; nil for what every driver answers.
    var isCapability: Bool {
        switch self {
        // Who answers functions, names them in the manifest.
        case .describe, .probe, .apply, .answer: false
        case .lookUp, .read, .page, .capture, .discover: true
        }
    }

    /// For people: every capability's name.
    static var capabilities: String { allCases.filter(\.isCapability).map(\.rawValue).joined(separator: ", ") }
}
