import HubModel

/// JSON Pointers (RFC 6901), compared byte for byte.
struct JSONPointer: Identifier {
    var rawValue: String

    static let root = JSONPointer("")

    func appending(_ name: String) -> JSONPointer { JSONPointer(rawValue + "/" + Self.escaped(name)) }

    static func escaped(_ name: String) -> String {
        guard name.utf8.contains(where: { $0 == 0x7E || $0 == 0x2F }) else { return name }
        var result = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The names that lead down; nil where the text is no pointer.
    var names: [String]? {
        if rawValue.isEmpty { return [] }
        guard rawValue.utf8.first == 0x2F else { return nil }
        var names: [String] = []
        var current = String.UnicodeScalarView()
        var scalars = rawValue.unicodeScalars.dropFirst()
        while let scalar = scalars.popFirst() {
            switch scalar {
            case "/":
                names.append(String(current))
                current = .init()
            case "~":
                switch scalars.popFirst() {
                case "0": current.append("~")
                case "1": current.append("/")
                default: return nil
                }
            default: current.append(scalar)
            }
        }
        names.append(String(current))
        return names
    }
}

extension Value {
    /// The member or element of that name; an element's name is its number without leading zeros.
    func child(_ name: String) -> Value? {
        switch self {
        case .object(let fields): return fields[name]
        case .array(let elements):
            guard let place = Int(name), place >= 0, place < elements.count, String(place) == name else { return nil }
            return elements[place]
        default: return nil
        }
    }
}
