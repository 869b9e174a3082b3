import HubModel

/// Where something stands in an answer: a member's name, or a dotted path through objects and lists (`errors.0.code`).
///
/// A member that is called as the whole text goes before the path, as OData's `@odata.etag` is one name.
struct Place: Sendable, Hashable {
    let text: String
    private let names: [String]

    init(_ text: String) {
        self.text = text
        names = text.split(separator: ".").map(String.init)
    }

    /// The names of the members on the way.
    var path: [String] { isOneName ? [text] : names }

    private var isOneName: Bool { text.hasPrefix("@") || text.hasPrefix("$") || names.count < 2 }

    /// What stands there; nil where there is nothing.
    func value(in value: Value) -> Value? {
        if let whole = value[text] { return whole }
        var found = value
        for name in names {
            if let next = found[name] {
                found = next
            } else if let index = Int(name), let list = found.array, list.indices.contains(index) {
                found = list[index]
            } else {
                return nil
            }
        }
        return names.isEmpty ? nil : found
    }
}
