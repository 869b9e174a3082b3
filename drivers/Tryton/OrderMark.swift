import HubDriver
import HubModel

/// What the hub notes in the link that it attaches to a sale: whether it has finished making it, and which line is which.
struct OrderMark: Sendable, Hashable {
    var isUnfinished = false
    /// The hub's name of a line → Tryton's key of it.
    var lines: [String: Int64] = [:]

    init() {}

    private static let beginning = "multipoint "

    static func isMark(_ attachment: Fields) -> Bool {
        attachment["type"]?.text == "link" && attachment["description"]?.text?.hasPrefix(beginning) == true
    }

    /// Nil where the text is none of the hub's.
    init?(_ text: String) {
        guard text.hasPrefix(Self.beginning), let fields = try? JSONText.fields(String(text.dropFirst(Self.beginning.count))) else {
            return nil
        }
        isUnfinished = fields["unfinished"]?.bool == true
        for (name, value) in fields["lines"]?.object ?? Fields() { lines[name] = value.integer }
    }

    var text: String {
        var fields = Fields()
        if isUnfinished { fields["unfinished"] = true }
        if !lines.isEmpty { fields["lines"] = .object(Fields(lines.map { ($0.key, Value.id($0.value)) })) }
        return Self.beginning + JSONText.text(.object(fields))
    }
}
