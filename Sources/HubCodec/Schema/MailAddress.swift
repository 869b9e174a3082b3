/// Mailboxes as RFC 5321 (section 4.1.2) and RFC 6531 write them.
enum MailAddress {
    static func isMailbox(_ text: String) -> Bool {
        guard let mark = text.unicodeScalars.lastIndex(of: "@") else { return false }
        let local = text.unicodeScalars[..<mark]
        let domain = text.unicodeScalars[text.unicodeScalars.index(after: mark)...]
        return isLocalPart(local) && isDomain(String(domain))
    }

    private static func isLocalPart(_ local: Substring.UnicodeScalarView) -> Bool {
        guard !local.isEmpty, String(local).utf8.count <= 64 else { return false }
        if local.first == "\"" {
            guard local.count >= 2, local.last == "\"" else { return false }
            var isEscaped = false
            for scalar in local.dropFirst().dropLast() {
                if isEscaped {
                    guard scalar.value >= 0x20, scalar.value != 0x7F else { return false }
                    isEscaped = false
                } else if scalar == "\\" {
                    isEscaped = true
                } else if scalar == "\"" || scalar.value < 0x20 || scalar.value == 0x7F {
                    return false
                }
            }
            return !isEscaped
        }
        return local.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty && atom.allSatisfy { isAtomText($0) }
        }
    }

    private static func isAtomText(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value >= 0x80 { return true }
        return scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "!#$%&'*+-/=?^_`{|}~".unicodeScalars.contains(scalar)
    }

    private static func isDomain(_ domain: String) -> Bool {
        if domain.hasPrefix("[") {
            guard domain.hasSuffix("]") else { return false }
            let literal = domain.dropFirst().dropLast()
            return literal.lowercased().hasPrefix("ipv6:") ? IPAddress.isVersion6(literal.dropFirst(5)) : IPAddress.isVersion4(literal)
        }
        return domain.utf8.allSatisfy { $0 < 0x80 } ? HostName.isHostName(domain) : HostName.isInternationalShape(domain)
    }
}
