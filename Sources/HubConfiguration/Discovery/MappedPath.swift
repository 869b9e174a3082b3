import HubCodec
import HubDriver

/// A native place that a mapping uses, however it does.
struct MappedPath {
    enum Use {
        case field(FieldMapping)
        case list(ListMapping)
        /// A condition of `when:`.
        case condition
    }

    /// The canonical name: `creditLimit`, `lines.quantity`; `when` for a condition.
    var name: String
    /// As the mapping has it, positions included.
    var parts: [String]
    var use: Use
    var isIn: Bool
    var isOut: Bool
    var place: Mapping.Place

    /// As it is discovered.
    var path: String { FoundType.path(parts) }

    /// Every native place of a mapping, but for key and company, which events carry beside the document.
    static func all(of mapping: Mapping) -> [MappedPath] {
        func place(_ name: String) -> Mapping.Place { mapping.places[name] ?? mapping.source }
        var found: [MappedPath] = []
        for field in mapping.fields where !field.path.isEmpty && (field.isIn || field.isOut) {
            // A constant is written, and what the application tells of it does not count.
            let isIn = field.isIn && field.constant == nil
            found.append(
                MappedPath(
                    name: field.name, parts: field.path, use: .field(field), isIn: isIn, isOut: field.isOut, place: place(field.name)))
        }
        for list in mapping.lists {
            let (tells, writes) = (list.direction != .out, list.direction != .in)
            found.append(
                MappedPath(name: list.name, parts: list.path, use: .list(list), isIn: tells, isOut: writes, place: place(list.name)))
            for field in list.fields where !field.path.isEmpty {
                let name = "\(list.name).\(field.name)"
                found.append(
                    MappedPath(
                        name: name, parts: list.path + field.path, use: .field(field), isIn: tells && field.isIn,
                        isOut: writes && field.isOut, place: place(name)))
            }
        }
        found += mapping.conditions.map {
            MappedPath(name: "when", parts: $0.path, use: .condition, isIn: true, isOut: false, place: mapping.source)
        }
        return found
    }

    /// Why the mapping cannot read or write a field of that kind; nil where it can.
    func misfit(_ kind: DiscoveredField.Kind) -> String? {
        let word: String
        let fits: Set<DiscoveredField.Kind>
        switch use {
        case .condition: return nil
        case .list: (word, fits) = ("a list", [.list, .object])
        case .field(let field):
            if field.reference != nil {
                (word, fits) = ("a reference", [.reference, .text, .number, .code, .object])
            } else if !field.rows.isEmpty {
                (word, fits) = ("a code", Set(DiscoveredField.Kind.allCases).subtracting([.list, .object, .binary]))
            } else {
                (word, fits) = Self.fitting(field)
            }
        }
        return kind == .other || fits.contains(kind) ? nil : "the mapping takes it for \(word), and it is \(kind.words)"
    }

    private static func fitting(_ field: FieldMapping) -> (String, Set<DiscoveredField.Kind>) {
        let everything = Set(DiscoveredField.Kind.allCases)
        switch field.kind {
        case .any: return ("a plain value", everything)
        case .text: return ("text", everything.subtracting([.list, .object, .binary]))
        case .integer: return ("a whole number", [.number, .text, .code, .reference])
        case .decimal: return ("a number", [.number, .text, .code])
        case .date: return ("a date", field.unit == nil ? [.date, .instant, .text] : [.number, .text])
        case .instant: return ("a moment", field.unit == nil ? [.instant, .date, .text] : [.number, .text])
        case .boolean: return ("a truth value", [.boolean])
        }
    }
}
