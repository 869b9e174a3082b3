/// A regular expression as JSON Schema has them: ECMA-262 with the `u` flag, found anywhere in the text unless anchored.
///
/// Work is bounded. Without look-around and back-references it grows with the pattern's length times the text's, whatever the pattern;
/// with them it ends after a fixed number of steps. Punctuation may be escaped where ECMA-262 does not ask for it.
struct Pattern: Sendable {
    let source: String
    let program: PatternProgram

    init(_ source: String) throws(PatternError) {
        self.source = source
        var parser = PatternParser(source)
        let root = try parser.parse()
        program = try PatternProgram(root, groups: parser.groupCount)
    }

    /// Whether the pattern is found in the text; nil where that would be too much work.
    func matches(_ text: String) -> Bool? {
        var match = PatternMatch(program: program, text: text.unicodeScalars.map(\.value))
        return match.search()
    }
}

/// Why a regular expression cannot be used.
struct PatternError: Error, Hashable {
    var message: String

    init(_ message: String) { self.message = message }
}

/// What a regular expression is made of.
indirect enum PatternNode {
    case empty
    case set(PatternSet)
    case sequence([PatternNode])
    case choice([PatternNode])
    case group(PatternNode, number: Int)
    case `repeat`(PatternNode, min: Int, max: Int?, isGreedy: Bool)
    case start
    case end
    case boundary(isNegated: Bool)
    case look(PatternNode, isBehind: Bool, isNegated: Bool)
    case backReference(Int)

    /// Whether this can match without consuming anything.
    var isNullable: Bool {
        switch self {
        case .set: false
        case .empty, .start, .end, .boundary, .look, .backReference: true
        case .sequence(let parts): parts.allSatisfy(\.isNullable)
        case .choice(let parts): parts.contains(where: \.isNullable)
        case .group(let part, _): part.isNullable
        case .repeat(let part, let min, _, _): min == 0 || part.isNullable
        }
    }
}
