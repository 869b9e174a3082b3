/// Host names: plain ones (RFC 1123) and international ones (RFC 5890 to 5893).
///
/// The standard library has no table of directions and joining types: they are told by blocks.
enum HostName {
    static func isHostName(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 253, text.utf8.allSatisfy({ $0 < 0x80 }) else { return false }
        return text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { isLabel(Array($0)) }
    }

    static func isInternational(_ text: String) -> Bool {
        guard let labels = labels(of: text) else { return false }
        var total = -1
        var decoded: [[Unicode.Scalar]] = []
        for label in labels {
            if label.allSatisfy(\.isASCII) {
                let bytes = label.map { UInt8($0.value) }
                guard isLabel(bytes) else { return false }
                total += bytes.count + 1
                decoded.append(Punycode.isMarked(bytes) ? Punycode.decode(bytes.dropFirst(4)) ?? [] : label)
            } else {
                guard InternationalLabel.isAllowed(label), let encoded = Punycode.encode(label) else { return false }
                let length = encoded.count + 4
                guard length <= 63 else { return false }
                total += length + 1
                decoded.append(label)
            }
        }
        // One label written from right to left makes the rule count for all.
        if decoded.contains(where: InternationalLabel.hasRightToLeft) {
            guard decoded.allSatisfy(InternationalLabel.keepsDirection) else { return false }
        }
        return total <= 253
    }

    /// Whether this could be a host name once normalised: labels of letters, digits and marks.
    static func isInternationalShape(_ text: String) -> Bool {
        guard let labels = labels(of: text) else { return false }
        return labels.allSatisfy { label in
            label.first != "-" && label.last != "-"
                && label.allSatisfy {
                    $0 == "-" || !$0.isASCII && !$0.properties.isWhitespace || $0.properties.isAlphabetic || ("0"..."9").contains($0)
                }
        }
    }

    private static func labels(of text: String) -> [[Unicode.Scalar]]? {
        let labels = text.unicodeScalars.split(omittingEmptySubsequences: false) { ".\u{3002}\u{FF0E}\u{FF61}".unicodeScalars.contains($0) }
        guard !text.isEmpty, labels.allSatisfy({ !$0.isEmpty }) else { return nil }
        return labels.map { Array($0) }
    }

    /// Letters, digits and inner hyphens; what is marked as Punycode has to be it.
    private static func isLabel(_ label: [UInt8]) -> Bool {
        guard (1...63).contains(label.count), label.first != 0x2D, label.last != 0x2D else { return false }
        guard label.allSatisfy({ $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 == 0x2D }) else { return false }
        guard label.count >= 4, label[2] == 0x2D, label[3] == 0x2D else { return true }
        guard Punycode.isMarked(label), let decoded = Punycode.decode(label.dropFirst(4)) else { return false }
        let lower = label.dropFirst(4).map { ($0 &- 0x41 < 26) ? $0 | 0x20 : $0 }
        return !decoded.allSatisfy(\.isASCII) && InternationalLabel.isAllowed(decoded) && Punycode.encode(decoded) == lower
            && (!InternationalLabel.hasRightToLeft(decoded) || InternationalLabel.keepsDirection(decoded))
    }
}

/// Punycode (RFC 3492).
enum Punycode {
    static func isMarked(_ label: [UInt8]) -> Bool {
        label.count > 4 && label[0] | 0x20 == 0x78 && label[1] | 0x20 == 0x6E && label[2] == 0x2D && label[3] == 0x2D
    }

    static func decode(_ input: some BidirectionalCollection<UInt8>) -> [Unicode.Scalar]? {
        let bytes = Array(input)
        let mark = bytes.lastIndex(of: 0x2D)
        var output: [UInt32] = bytes[..<(mark ?? 0)].map { UInt32($0) }
        var code: UInt32 = 128
        var position = 0
        var bias = 72
        var at = mark.map { $0 + 1 } ?? 0
        while at < bytes.count {
            let before = position
            var weight = 1
            var step = 36
            while true {
                guard at < bytes.count, let digit = digit(bytes[at]), weight < 1 << 32 else { return nil }
                at += 1
                position += digit * weight
                let threshold = min(max(step - bias, 1), 26)
                if digit < threshold { break }
                weight *= 36 - threshold
                step += 36
            }
            let count = output.count + 1
            bias = adapt(position - before, count, isFirst: before == 0)
            let advanced = Int(code) + position / count
            guard advanced <= 0x10FFFF else { return nil }
            code = UInt32(advanced)
            position %= count
            output.insert(code, at: position)
            position += 1
        }
        var scalars: [Unicode.Scalar] = []
        for value in output {
            guard let scalar = Unicode.Scalar(value) else { return nil }
            scalars.append(scalar)
        }
        return scalars
    }

    /// Without the mark before it; nil for a label too long to be one.
    static func encode(_ label: [Unicode.Scalar]) -> [UInt8]? {
        guard label.count <= 63 else { return nil }
        let values = label.map { Int($0.value) }
        var output = values.filter { $0 < 128 }.map { UInt8($0) }
        let basic = output.count
        var handled = basic
        if basic > 0 { output.append(0x2D) }
        var code = 128
        var delta = 0
        var bias = 72
        while handled < values.count {
            guard let next = values.filter({ $0 >= code }).min() else { return nil }
            delta += (next - code) * (handled + 1)
            code = next
            for value in values {
                if value < code { delta += 1 }
                guard value == code else { continue }
                var rest = delta
                var step = 36
                while true {
                    let threshold = min(max(step - bias, 1), 26)
                    if rest < threshold { break }
                    output.append(letter(threshold + (rest - threshold) % (36 - threshold)))
                    rest = (rest - threshold) / (36 - threshold)
                    step += 36
                }
                output.append(letter(rest))
                bias = adapt(delta, handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            code += 1
        }
        return output
    }

    private static func adapt(_ delta: Int, _ count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / count
        var step = 0
        while delta > 455 {
            delta /= 35
            step += 36
        }
        return step + 36 * delta / (delta + 38)
    }

    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case 0x30...0x39: Int(byte) - 0x30 + 26
        case 0x41...0x5A: Int(byte) - 0x41
        case 0x61...0x7A: Int(byte) - 0x61
        default: nil
        }
    }

    private static func letter(_ digit: Int) -> UInt8 { UInt8(digit < 26 ? 0x61 + digit : 0x30 + digit - 26) }
}
