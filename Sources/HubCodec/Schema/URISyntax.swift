/// What URIs (RFC 3986) and IRIs (RFC 3987) may contain.
enum URISyntax {
    static func isURI(_ text: String, isInternational: Bool) -> Bool {
        let parts = URIReference(text)
        guard let scheme = parts.scheme else { return false }
        return isScheme(scheme) && isReference(text, isInternational: isInternational)
    }

    static func isReference(_ text: String, isInternational: Bool) -> Bool {
        let parts = URIReference(text)
        if let scheme = parts.scheme, !isScheme(scheme) { return false }
        if let authority = parts.authority, !isAuthority(authority, isInternational) { return false }
        // Without a scheme, what stands before the first slash must not look like one.
        if parts.scheme == nil, parts.authority == nil, parts.path.prefix(while: { $0 != "/" }).contains(":") { return false }
        return isMadeOf(parts.path, "/:@", isInternational)
            && isMadeOf(parts.query ?? "", "/?:@", isInternational, allowsPrivate: true)
            && isMadeOf(parts.fragment ?? "", "/?:@", isInternational)
    }

    private static func isScheme(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first.isASCII, first.properties.isAlphabetic else { return false }
        return text.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "+" || $0 == "-" || $0 == ".")
        }
    }

    private static func isAuthority(_ text: String, _ isInternational: Bool) -> Bool {
        var host = Substring(text)
        if let mark = host.lastIndex(of: "@") {
            guard isMadeOf(String(host[..<mark]), ":", isInternational) else { return false }
            host = host[host.index(after: mark)...]
        }
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]"), isLiteral(host[host.index(after: host.startIndex)..<end]) else { return false }
            return isPort(host[host.index(after: end)...])
        }
        let name = host.prefix { $0 != ":" }
        return isMadeOf(String(name), "", isInternational) && isPort(host[name.endIndex...])
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || text.utf8.first == 0x3A && text.utf8.dropFirst().allSatisfy { $0 &- 0x30 < 10 }
    }

    private static func isLiteral(_ text: Substring) -> Bool {
        guard text.first == "v" || text.first == "V" else { return IPAddress.isVersion6(text) }
        let parts = text.dropFirst().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty
            && parts[0].utf8.allSatisfy { URIReference.hexadecimal($0) != nil }
            && !parts[1].contains("%") && isMadeOf(String(parts[1]), ":", false)
    }

    /// Whether the text holds unreserved characters, sub-delimiters, `%41` and the given ones only.
    private static func isMadeOf(_ text: String, _ more: String, _ isInternational: Bool, allowsPrivate: Bool = false) -> Bool {
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if scalar == "%" {
                for _ in 0..<2 {
                    guard let digit = rest.popFirst(), digit.isASCII, URIReference.hexadecimal(UInt8(digit.value)) != nil else {
                        return false
                    }
                }
                continue
            }
            guard scalar.isASCII else {
                guard isInternational, isInternationalCharacter(scalar.value, allowsPrivate) else { return false }
                continue
            }
            let isFine =
                scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "-._~!$&'()*+,;=".unicodeScalars.contains(scalar)
                || more.unicodeScalars.contains(scalar)
            guard isFine else { return false }
        }
        return true
    }

    /// RFC 3987's ucschar and, in queries, iprivate.
    private static func isInternationalCharacter(_ value: UInt32, _ allowsPrivate: Bool) -> Bool {
        switch value {
        case 0xA0...0xD7FF, 0xF900...0xFDCF, 0xFDF0...0xFFEF: true
        case 0xE000...0xF8FF, 0xF0000...0x10FFFF: allowsPrivate && value & 0xFFFE != 0xFFFE
        case 0x10000...0xDFFFF: value & 0xFFFE != 0xFFFE
        case 0xE1000...0xEFFFF: value & 0xFFFE != 0xFFFE
        default: false
        }
    }
}

/// Templates as RFC 6570 writes them.
enum URITemplate {
    static func isTemplate(_ text: String) -> Bool {
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "{":
                guard let end = rest.firstIndex(of: "}") else { return false }
                guard isExpression(rest[..<end]) else { return false }
                rest = rest[rest.index(after: end)...]
            case "%":
                guard isTriplet(&rest) else { return false }
            case "}", "\"", "<", ">", "\\", "^", "`", "|", " ": return false
            default: if scalar.value < 0x21 || (0x7F...0x9F).contains(scalar.value) { return false }
            }
        }
        return true
    }

    private static func isExpression(_ text: Substring.UnicodeScalarView) -> Bool {
        var text = text
        if let first = text.first, "+#./;?&=,!@|".unicodeScalars.contains(first) { text = text.dropFirst() }
        return text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { isVariable($0) }
    }

    private static func isVariable(_ text: Substring.UnicodeScalarView) -> Bool {
        var name = text
        if name.last == "*" {
            name = name.dropLast()
        } else if let mark = name.firstIndex(of: ":") {
            let length = name[name.index(after: mark)...]
            guard (1...4).contains(length.count), length.first != "0", length.allSatisfy({ ("0"..."9").contains($0) }) else { return false }
            name = name[..<mark]
        }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            var rest = part
            guard !rest.isEmpty else { return false }
            while let scalar = rest.popFirst() {
                if scalar == "%" {
                    guard isTriplet(&rest) else { return false }
                } else {
                    let isFine = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_")
                    guard isFine else { return false }
                }
            }
            return true
        }
    }

    private static func isTriplet(_ rest: inout Substring.UnicodeScalarView) -> Bool {
        for _ in 0..<2 {
            guard let digit = rest.popFirst(), digit.isASCII, URIReference.hexadecimal(UInt8(digit.value)) != nil else { return false }
        }
        return true
    }
}
