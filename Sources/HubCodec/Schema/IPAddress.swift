/// Texts of IP addresses.
enum IPAddress {
    /// Four decimal numbers without leading zeros (RFC 2673, section 3.2).
    static func isVersion4(_ text: some StringProtocol) -> Bool {
        let parts = text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard (1...3).contains(part.count), part.allSatisfy({ $0 &- 0x30 < 10 }), part.count == 1 || part.first != 0x30 else {
                    return false
                }
                return part.reduce(0) { $0 * 10 + Int($1 - 0x30) } < 256
            }
    }

    /// RFC 4291, section 2.2, without a zone.
    static func isVersion6(_ text: some StringProtocol) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count >= 2, bytes.count <= 45 else { return false }
        var groups = 0
        var hasGap = false
        var at = 0
        if bytes[0] == 0x3A {
            guard bytes[1] == 0x3A else { return false }
            hasGap = true
            at = 2
        }
        while at < bytes.count {
            let end = bytes[at...].firstIndex(of: 0x3A) ?? bytes.count
            let part = bytes[at..<end]
            if end == bytes.count, part.contains(0x2E) {
                guard isVersion4(String(decoding: part, as: UTF8.self)) else { return false }
                groups += 2
                break
            }
            guard (1...4).contains(part.count), part.allSatisfy({ URIReference.hexadecimal($0) != nil }) else { return false }
            groups += 1
            at = end
            guard at < bytes.count else { break }
            at += 1
            if at == bytes.count { return false }
            if bytes[at] == 0x3A {
                if hasGap { return false }
                hasGap = true
                at += 1
            }
        }
        return hasGap ? groups < 8 : groups == 8
    }
}
