/// What one label of an international host name may hold (RFC 5892, RFC 5893).
enum InternationalLabel {
    static func isAllowed(_ label: [Unicode.Scalar]) -> Bool {
        guard let first = label.first, first != "-", label.last != "-" else { return false }
        if label.count >= 4, label[2] == "-", label[3] == "-" { return false }
        if [.nonspacingMark, .spacingMark, .enclosingMark].contains(first.properties.generalCategory) { return false }
        return label.indices.allSatisfy { isContextual(label, $0) ?? isValid(label[$0]) }
    }

    /// RFC 5892's PVALID: letters, digits and marks that normalising does not change, and its exceptions.
    private static func isValid(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x2D, 0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007: return true
        case 0x640, 0x7FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: return false
        default: break
        }
        let properties = scalar.properties
        if properties.changesWhenNFKCCaseFolded || properties.isDefaultIgnorableCodePoint { return false }
        switch properties.generalCategory {
        case .lowercaseLetter, .uppercaseLetter, .otherLetter, .modifierLetter, .decimalNumber, .nonspacingMark, .spacingMark: return true
        default: return false
        }
    }

    /// The verdict on a character that depends on its neighbours (RFC 5892, appendix A); nil for all others.
    private static func isContextual(_ label: [Unicode.Scalar], _ place: Int) -> Bool? {
        let before = place > 0 ? label[place - 1] : nil
        let after = place + 1 < label.count ? label[place + 1] : nil
        func isIn(_ scalar: Unicode.Scalar?, _ scripts: String...) -> Bool {
            guard let scalar else { return false }
            return scripts.contains { UnicodeProperty.script($0).contains { $0.contains(scalar.value) } }
        }
        switch label[place].value {
        case 0xB7: return before == "l" && after == "l"
        case 0x375: return isIn(after, "Greek")
        case 0x5F3, 0x5F4: return isIn(before, "Hebrew")
        case 0x30FB: return label.contains { isIn($0, "Hiragana", "Katakana", "Han") }
        case 0x660...0x669: return !label.contains { (0x6F0...0x6F9).contains($0.value) }
        case 0x6F0...0x6F9: return !label.contains { (0x660...0x669).contains($0.value) }
        case 0x200D: return before.map(isVirama) ?? false
        case 0x200C:
            if before.map(isVirama) ?? false { return true }
            let isMark = { (scalar: Unicode.Scalar) in scalar.properties.generalCategory == .nonspacingMark }
            guard let left = label[..<place].last(where: { !isMark($0) }), let right = label[(place + 1)...].first(where: { !isMark($0) })
            else { return false }
            return joinsNext(left) && joins(right)
        default: return nil
        }
    }

    private static func isVirama(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.canonicalCombiningClass == .virama }

    /// A letter of a script whose letters join.
    private static func joins(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x620...0x64A, 0x66E...0x6D3, 0x6FA...0x6FF, 0x710...0x72F, 0x74D...0x77F, 0x7CA...0x7EA, 0x8A0...0x8C7, 0x1820...0x1878,
            0xA840...0xA871:
            scalar.properties.generalCategory == .otherLetter || scalar.properties.generalCategory == .modifierLetter
        default: false
        }
    }

    /// A letter that joins the next one: those of Arabic that only join the one before do not.
    private static func joinsNext(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x622...0x625, 0x627, 0x629, 0x62F...0x632, 0x648, 0x671...0x673, 0x675...0x677, 0x688...0x699, 0x6C0, 0x6C3...0x6CB, 0x6CD,
            0x6CF,
            0x6D2, 0x6D3, 0x6EE, 0x6EF:
            false
        default: joins(scalar)
        }
    }

    // MARK: Direction (RFC 5893)

    private enum Direction {
        case left, right, arabic, european, arabicNumber, mark, other
    }

    private static func direction(_ scalar: Unicode.Scalar) -> Direction {
        if scalar.properties.generalCategory == .nonspacingMark { return .mark }
        switch scalar.value {
        case 0x30...0x39, 0x6F0...0x6F9: return .european
        case 0x660...0x669, 0x66B, 0x66C: return .arabicNumber
        case 0x590...0x5FF, 0x7C0...0x85F, 0xFB1D...0xFB4F, 0x10800...0x10FFF, 0x1E800...0x1EFFF: return .right
        case 0x600...0x7BF, 0x860...0x8FF, 0xFB50...0xFDFF, 0xFE70...0xFEFF: return .arabic
        case 0x2D: return .other
        case 0x200C, 0x200D: return .mark
        default: return .left
        }
    }

    static func hasRightToLeft(_ label: [Unicode.Scalar]) -> Bool {
        label.contains { [.right, .arabic, .arabicNumber].contains(direction($0)) }
    }

    static func keepsDirection(_ label: [Unicode.Scalar]) -> Bool {
        let directions = label.map(direction)
        guard let first = directions.first, let last = directions.last(where: { $0 != .mark }) else { return false }
        switch first {
        case .left:
            return [.left, .european].contains(last) && !directions.contains { [.right, .arabic, .arabicNumber].contains($0) }
        case .right, .arabic:
            return last != .left && last != .other && !directions.contains(.left)
                && !(directions.contains(.european) && directions.contains(.arabicNumber))
        default: return false
        }
    }
}
