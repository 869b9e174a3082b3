import HubCodec
import HubModel

extension EnvelopeSetting {
    private static let paths = ["data", "key", "operation", "time", "position", "token", "reference", "company"]

    /// Reads what stands under `envelope`; the default where nothing does.
    static func read(_ node: ConfigurationNode?) -> EnvelopeSetting {
        var setting = EnvelopeSetting()
        guard let node else { return setting }
        let words = Format.allCases.map(\.rawValue)
        let example = "one of \(words.joined(separator: ", ")), or { format: plain, key: id }"
        guard node.isMap else {
            if let text = node.text(example) { setting.format = format(text, node) ?? .auto }
            return setting
        }
        node.check(keys: ["format", "typePrefix", "tombstone", "operations"] + paths)
        if let inner = node["format"] {
            if let text = inner.text(example) { setting.format = format(text, inner) ?? .auto }
        } else {
            node.mistake(in: "format", "missing", "write format: plain, or another of \(words.joined(separator: ", "))")
        }
        if let inner = node["typePrefix"] { setting.typePrefix = inner.text("typePrefix: com.example") ?? "" }
        if let inner = node["tombstone"], let text = inner.text("ignored or delete") {
            if let meaning = EnvelopeDeclaration.TombstoneMeaning(rawValue: text) {
                setting.tombstone = meaning
            } else {
                inner.mistake("\(text) has no meaning here", Suggestion.text(text, ["ignored", "delete"]))
            }
        }
        if setting.format == .plain {
            setting.readShape(node)
        } else if case .map(let members) = node.content {
            for member in members where (paths + ["operations"]).contains(member.name) {
                member.node.mistake("says something only of format: plain", "leave it out")
            }
        }
        return setting
    }

    private static func format(_ text: String, _ node: ConfigurationNode) -> Format? {
        if let format = Format(rawValue: text) { return format }
        node.mistake("there is no envelope \(text)", Suggestion.text(text, Format.allCases.map(\.rawValue)))
        return nil
    }

    private mutating func readShape(_ node: ConfigurationNode) {
        func path(_ name: String) -> [String]? {
            guard let inner = node[name], let text = inner.text("\(name): and a dotted path") else { return nil }
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            if parts.contains("") { inner.mistake("\(text) is no dotted path", "write it as meta.id") }
            return parts
        }
        shape.dataPath = path("data") ?? []
        shape.keyPath = path("key")
        shape.operationPath = path("operation")
        shape.timePath = path("time")
        shape.positionPath = path("position")
        shape.tokenPath = path("token")
        shape.referencePath = path("reference")
        shape.companyPath = path("company")
        guard let operations = node["operations"] else { return }
        if shape.operationPath == nil { node.mistake(in: "operation", "missing", "write operation: and the path of these words") }
        let words = ["upsert", "delete", "snapshot"]
        for member in operations.members("operations: { I: upsert, U: upsert, D: delete }") {
            guard let text = member.node.text(words.joined(separator: ", ")) else { continue }
            switch text {
            case "upsert": shape.operations[member.name] = .upsert
            case "delete": shape.operations[member.name] = .delete
            case "snapshot": shape.operations[member.name] = .snapshot
            default: member.node.mistake("\(text) has no meaning here", Suggestion.text(text, words))
            }
        }
    }
}
