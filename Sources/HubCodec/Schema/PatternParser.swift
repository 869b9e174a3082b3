/// Reads regular expressions of ECMA-262.
struct PatternParser {
    private let source: [Unicode.Scalar]
    private var at = 0
    private var depth = 0
    private(set) var groupCount = 0
    private var names: [String: Int] = [:]
    private var nameUses: [(name: String, place: Int)] = []
    /// How many groups the whole pattern has: what back-references are checked against.
    private let totalGroups: Int
    private let allNames: [String]

    private static let maxDepth = 100
    private static let maxLength = 10_000
    static let maxRepeat = 10_000

    init(_ text: String) {
        source = Array(text.unicodeScalars)
        (totalGroups, allNames) = Self.groups(in: source)
    }

    mutating func parse() throws(PatternError) -> PatternNode {
        guard source.count <= Self.maxLength else { throw PatternError("longer than \(Self.maxLength) characters") }
        let node = try choice()
        if at < source.count { throw PatternError("a closing parenthesis without an opening one") }
        return node
    }

    /// Counts groups before reading, because references may stand before their groups.
    private static func groups(in source: [Unicode.Scalar]) -> (count: Int, names: [String]) {
        var count = 0
        var names: [String] = []
        var inClass = false
        var at = 0
        while at < source.count {
            switch source[at] {
            case "\\": at += 1
            case "[": inClass = true
            case "]": inClass = false
            case "(" where !inClass:
                if at + 1 >= source.count || source[at + 1] != "?" {
                    count += 1
                } else if at + 3 < source.count, source[at + 2] == "<", source[at + 3] != "=", source[at + 3] != "!" {
                    count += 1
                    let name = source[(at + 3)...].prefix { $0 != ">" }
                    names.append(String(String.UnicodeScalarView(name)))
                }
            default: break
            }
            at += 1
        }
        return (count, names)
    }

    private var next: Unicode.Scalar? { at < source.count ? source[at] : nil }

    private mutating func take(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        guard at + scalars.count <= source.count, Array(source[at..<at + scalars.count]) == scalars else { return false }
        at += scalars.count
        return true
    }

    private mutating func choice() throws(PatternError) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else { throw PatternError("groups stand inside each other more than \(Self.maxDepth) deep") }
        var branches: [PatternNode] = []
        repeat {
            var parts: [PatternNode] = []
            while let scalar = next, scalar != "|", scalar != ")" { parts.append(try term()) }
            branches.append(parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts))
        } while take("|")
        if depth > 1 && next != ")" { throw PatternError("an opening parenthesis without a closing one") }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func term() throws(PatternError) -> PatternNode {
        let atom = try atom()
        guard let (min, max) = try quantifier() else { return atom }
        switch atom {
        case .start, .end, .boundary, .look: throw PatternError("a quantifier behind something that cannot be repeated")
        default: break
        }
        return .repeat(atom, min: min, max: max, isGreedy: !take("?"))
    }

    private mutating func quantifier() throws(PatternError) -> (Int, Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard next == "{" else { return nil }
        let start = at
        at += 1
        let min = number()
        var max = min
        if min != nil, take(",") { max = next == "}" ? nil : number() ?? -1 }
        guard let min, max != -1, take("}") else {
            at = start
            return nil
        }
        if let max, max < min { throw PatternError("a quantifier whose bounds are the wrong way round") }
        guard min <= Self.maxRepeat, max ?? 0 <= Self.maxRepeat else { throw PatternError("a quantifier over \(Self.maxRepeat)") }
        return (min, max)
    }

    private mutating func number() -> Int? {
        let start = at
        var value = 0
        while let scalar = next, ("0"..."9").contains(scalar) {
            value = Swift.min(value * 10 + Int(scalar.value - 0x30), 1 << 40)
            at += 1
        }
        return at > start ? value : nil
    }

    private mutating func atom() throws(PatternError) -> PatternNode {
        guard let scalar = next else { return .empty }
        switch scalar {
        case "^":
            at += 1
            return .start
        case "$":
            at += 1
            return .end
        case ".":
            at += 1
            return .set(.noLineEnd)
        case "(": return try group()
        case "[": return .set(try characterClass())
        case "\\": return try escape()
        case "*", "+", "?": throw PatternError("a quantifier with nothing to repeat")
        case "{":
            if try quantifier() != nil { throw PatternError("a quantifier with nothing to repeat") }
            at += 1
            return .set(PatternSet(scalar.value))
        default:
            at += 1
            return .set(PatternSet(scalar.value))
        }
    }

    private mutating func group() throws(PatternError) -> PatternNode {
        var number: Int?
        var look: (isBehind: Bool, isNegated: Bool)?
        if take("(?:") {
        } else if take("(?=") {
            look = (false, false)
        } else if take("(?!") {
            look = (false, true)
        } else if take("(?<=") {
            look = (true, false)
        } else if take("(?<!") {
            look = (true, true)
        } else if take("(?<") {
            let name = try groupName()
            groupCount += 1
            number = groupCount
            guard names.updateValue(groupCount, forKey: name) == nil else { throw PatternError("two groups named \(name)") }
        } else if take("(?") {
            throw PatternError("a group that ECMA-262 does not know: (?\(next.map(String.init) ?? "")")
        } else {
            at += 1
            groupCount += 1
            number = groupCount
        }
        let inner = try choice()
        guard take(")") else { throw PatternError("an opening parenthesis without a closing one") }
        if let look { return .look(inner, isBehind: look.isBehind, isNegated: look.isNegated) }
        if let number { return .group(inner, number: number) }
        return inner
    }

    private mutating func groupName() throws(PatternError) -> String {
        var name = String.UnicodeScalarView()
        while let scalar = next, scalar != ">" {
            let isFine = scalar == "_" || scalar == "$" || (name.isEmpty ? scalar.properties.isIDStart : scalar.properties.isIDContinue)
            guard isFine else { throw PatternError("a group's name with \(scalar) in it") }
            name.append(scalar)
            at += 1
        }
        guard !name.isEmpty, take(">") else { throw PatternError("a group's name without an end") }
        return String(name)
    }

    // MARK: Escapes and classes

    private mutating func escape() throws(PatternError) -> PatternNode {
        at += 1
        guard let scalar = next else { throw PatternError("a backslash at the end") }
        switch scalar {
        case "b", "B":
            at += 1
            return .boundary(isNegated: scalar == "B")
        case "k":
            at += 1
            guard take("<") else { throw PatternError("\\k without a group's name") }
            let name = try groupName()
            guard let place = allNames.firstIndex(where: { $0.utf8.elementsEqual(name.utf8) }) else {
                throw PatternError("\\k<\(name)> without a group of that name")
            }
            return .backReference(try number(ofNamed: place))
        case "1"..."9":
            guard let number = number(), number <= totalGroups else { throw PatternError("a back-reference to a group that is not there") }
            return .backReference(number)
        default: return .set(try setEscape())
        }
    }

    /// The number of the n-th named group; named and plain groups count together.
    private func number(ofNamed place: Int) throws(PatternError) -> Int {
        var count = 0
        var named = -1
        var inClass = false
        var position = 0
        while position < source.count {
            switch source[position] {
            case "\\": position += 1
            case "[": inClass = true
            case "]": inClass = false
            case "(" where !inClass:
                if position + 1 >= source.count || source[position + 1] != "?" {
                    count += 1
                } else if position + 3 < source.count, source[position + 2] == "<", source[position + 3] != "=", source[position + 3] != "!"
                {
                    count += 1
                    named += 1
                    if named == place { return count }
                }
            default: break
            }
            position += 1
        }
        throw PatternError("a back-reference to a group that is not there")
    }

    /// What follows a backslash where it means a set of characters.
    private mutating func setEscape() throws(PatternError) -> PatternSet {
        guard let scalar = next else { throw PatternError("a backslash at the end") }
        at += 1
        switch scalar {
        case "d": return .digits
        case "D": return PatternSet.digits.negated
        case "w": return .word
        case "W": return PatternSet.word.negated
        case "s": return .space
        case "S": return PatternSet.space.negated
        case "p", "P":
            guard take("{") else { throw PatternError("\\p without braces") }
            let name = String(String.UnicodeScalarView(source[at...].prefix { $0 != "}" }))
            at += name.unicodeScalars.count
            guard take("}"), let property = UnicodeProperty(name) else { throw PatternError("a property that is not known here: \(name)") }
            return PatternSet(property: property, isNegated: scalar == "P")
        default: return PatternSet(try character(scalar))
        }
    }

    /// The one character that an escape means; its letter has been taken.
    private mutating func character(_ scalar: Unicode.Scalar) throws(PatternError) -> UInt32 {
        switch scalar {
        case "t": return 0x09
        case "n": return 0x0A
        case "v": return 0x0B
        case "f": return 0x0C
        case "r": return 0x0D
        case "0":
            if let next, ("0"..."9").contains(next) { throw PatternError("an octal escape") }
            return 0
        case "c":
            guard let letter = next, ("a"..."z").contains(letter) || ("A"..."Z").contains(letter) else {
                throw PatternError("\\c without a letter")
            }
            at += 1
            return letter.value & 31
        case "x": return try hexadecimal(2)
        case "u":
            if take("{") {
                let digits = source[at...].prefix { $0 != "}" }
                guard !digits.isEmpty, digits.count <= 8, let value = UInt32(String(String.UnicodeScalarView(digits)), radix: 16),
                    value <= 0x10FFFF
                else { throw PatternError("\\u{…} without a code point") }
                at += digits.count + 1
                guard at <= source.count else { throw PatternError("\\u{…} without an end") }
                return value
            }
            let high = try hexadecimal(4)
            guard high & 0xFC00 == 0xD800, take("\\u") else { return high }
            let low = try hexadecimal(4)
            guard low & 0xFC00 == 0xDC00 else { throw PatternError("half of a surrogate pair") }
            return 0x10000 + (high & 0x3FF) << 10 + (low & 0x3FF)
        default:
            guard scalar.isASCII, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) else {
                throw PatternError("an escape that ECMA-262 does not know: \\\(scalar)")
            }
            return scalar.value
        }
    }

    private mutating func hexadecimal(_ count: Int) throws(PatternError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let scalar = next, scalar.isASCII, let digit = URIReference.hexadecimal(UInt8(scalar.value)) else {
                throw PatternError("an escape with too few hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            at += 1
        }
        return value
    }

    private mutating func characterClass() throws(PatternError) -> PatternSet {
        at += 1
        let isNegated = take("^")
        var parts: [PatternSet] = []
        while let scalar = next, scalar != "]" {
            let (first, set) = try classAtom(scalar)
            if next == "-", at + 1 < source.count, source[at + 1] != "]" {
                at += 1
                let (last, _) = try classAtom(source[at])
                guard let first, let last else { throw PatternError("a range to or from a class of characters") }
                guard first <= last else { throw PatternError("a range the wrong way round") }
                parts.append(PatternSet([first...last]))
            } else {
                parts.append(set)
            }
        }
        guard take("]") else { throw PatternError("an opening bracket without a closing one") }
        return PatternSet(parts: parts, isNegated: isNegated)
    }

    /// One part of a class, and its character where it is a single one.
    private mutating func classAtom(_ scalar: Unicode.Scalar) throws(PatternError) -> (UInt32?, PatternSet) {
        at += 1
        guard scalar == "\\" else { return (scalar.value, PatternSet(scalar.value)) }
        guard let escaped = next else { throw PatternError("a backslash at the end") }
        switch escaped {
        case "d", "D", "w", "W", "s", "S", "p", "P": return (nil, try setEscape())
        case "b":
            at += 1
            return (8, PatternSet(8))
        default:
            at += 1
            let value = try character(escaped)
            return (value, PatternSet(value))
        }
    }
}
