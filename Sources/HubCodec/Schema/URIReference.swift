/// A URI or a reference to one, taken apart as RFC 3986 (appendix B) has it; what each part may contain is not checked here.
struct URIReference: Sendable, Hashable, CustomStringConvertible {
    var scheme: String?
    var authority: String?
    var path = ""
    var query: String?
    var fragment: String?

    init(_ text: String) {
        var rest = Substring(text)
        if let mark = rest.firstIndex(of: "#") {
            fragment = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let mark = rest.firstIndex(where: { $0 == ":" || $0 == "/" }), rest[mark] == ":", mark > rest.startIndex {
            scheme = String(rest[..<mark])
            rest = rest[rest.index(after: mark)...]
        }
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            authority = String(rest[..<end])
            rest = rest[end...]
        }
        path = String(rest)
    }

    /// What this means where `base` is the address of the document that it stands in (RFC 3986, section 5.2).
    func resolved(against base: URIReference) -> URIReference {
        var result = self
        if scheme != nil {
            result.path = Self.withoutDots(path)
            return result
        }
        result.scheme = base.scheme
        if authority != nil {
            result.path = Self.withoutDots(path)
            return result
        }
        result.authority = base.authority
        if path.isEmpty {
            result.path = base.path
            if query == nil { result.query = base.query }
        } else if path.hasPrefix("/") {
            result.path = Self.withoutDots(path)
        } else if base.authority != nil && base.path.isEmpty {
            result.path = Self.withoutDots("/" + path)
        } else {
            let folder = base.path.lastIndex(of: "/").map { base.path[...$0] } ?? ""
            result.path = Self.withoutDots(folder + path)
        }
        return result
    }

    var withoutFragment: URIReference {
        var result = self
        result.fragment = nil
        return result
    }

    var description: String {
        (scheme.map { $0 + ":" } ?? "") + (authority.map { "//" + $0 } ?? "") + path + (query.map { "?" + $0 } ?? "")
            + (fragment.map { "#" + $0 } ?? "")
    }

    private static func withoutDots(_ path: some StringProtocol) -> String {
        guard path.contains(".") else { return String(path) }
        let isRooted = path.hasPrefix("/")
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        var kept: [Substring] = []
        for (place, part) in parts.enumerated() {
            let isLast = place == parts.count - 1
            if part == "." {
                if isLast { kept.append("") }
            } else if part == ".." {
                if let last = kept.last, kept.count > 1 || !last.isEmpty || !isRooted { kept.removeLast() }
                if isLast { kept.append("") }
            } else {
                kept.append(Substring(part))
            }
        }
        let joined = kept.joined(separator: "/")
        return isRooted && !joined.hasPrefix("/") ? "/" + joined : joined
    }

    /// The text with `%41` resolved; nil where that is no UTF-8 or a `%` stands alone.
    static func percentDecoded(_ text: String) -> String? {
        guard text.utf8.contains(0x25) else { return text }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Self.hexadecimal), let low = rest.popFirst().flatMap(Self.hexadecimal) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
