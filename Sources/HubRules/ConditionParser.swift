package import HubModel

/// Reads a ``Condition``.
package struct ConditionParser {
    /// What is wrong, and at which character (from 1).
    package struct Failure: Error, CustomStringConvertible {
        package var column: Int
        package var reason: String
        package var description: String { "\(reason) at character \(column)" }
    }

    private enum Token: Equatable {
        case word(String)
        case literal(Value)
        case symbol(String)
    }

    private var tokens: [(token: Token, column: Int)] = []
    private var index = 0
    private let end: Int
    private let entity: String

    /// - Parameter entity: a field may be written with the entity's name in front: `customer.stage`.
    package static func parse(_ text: String, entity: EntityName) throws(Failure) -> Condition {
        var parser = try ConditionParser(text, entity: entity.rawValue)
        let condition = try parser.alternatives(depth: 0)
        if let extra = parser.tokens.dropFirst(parser.index).first {
            throw Failure(column: extra.column, reason: "expected `and`, `or` or the end")
        }
        return condition
    }

    private init(_ text: String, entity: String) throws(Failure) {
        self.entity = entity
        let characters = Array(text)
        end = characters.count + 1
        var i = 0
        while i < characters.count {
            let column = i + 1
            let c = characters[i]
            if c.isWhitespace {
                i += 1
            } else if c == "'" || c == "\"" {
                var content = ""
                i += 1
                while i < characters.count, characters[i] != c {
                    content.append(characters[i])
                    i += 1
                }
                guard i < characters.count else { throw Failure(column: column, reason: "the text has no closing \(c)") }
                i += 1
                tokens.append((.literal(.string(content)), column))
            } else if c.isLetter || c == "_" {
                var word = ""
                while i < characters.count, characters[i].isLetter || characters[i].isNumber || "_.".contains(characters[i]) {
                    word.append(characters[i])
                    i += 1
                }
                switch word {
                case "true": tokens.append((.literal(.bool(true)), column))
                case "false": tokens.append((.literal(.bool(false)), column))
                case "null": tokens.append((.literal(.null), column))
                default: tokens.append((.word(word), column))
                }
            } else if c.isNumber || c == "-" {
                var digits = String(c)
                i += 1
                while i < characters.count, characters[i].isNumber || characters[i] == "." {
                    digits.append(characters[i])
                    i += 1
                }
                guard let number = Number(digits) else { throw Failure(column: column, reason: "`\(digits)` is no number") }
                tokens.append((.literal(.number(number)), column))
            } else {
                let two = String(characters[i..<min(i + 2, characters.count)])
                let symbol = ["<=", ">=", "==", "!=", "&&", "||"].contains(two) ? two : String(c)
                guard symbol.count == 2 || "<>()[],!".contains(c) else {
                    throw Failure(column: column, reason: c == "=" ? "write `==` to compare" : "`\(c)` has no meaning here")
                }
                i += symbol.count
                tokens.append((.symbol(symbol), column))
            }
        }
    }

    private var column: Int { index < tokens.count ? tokens[index].column : end }

    private mutating func take(_ wanted: Token...) -> Bool {
        guard index < tokens.count, wanted.contains(tokens[index].token) else { return false }
        index += 1
        return true
    }

    private mutating func alternatives(depth: Int) throws(Failure) -> Condition {
        guard depth < 50 else { throw Failure(column: column, reason: "nested too deeply") }
        var left = try conjunction(depth: depth)
        while take(.word("or"), .symbol("||")) { left = .or(left, try conjunction(depth: depth)) }
        return left
    }

    private mutating func conjunction(depth: Int) throws(Failure) -> Condition {
        var left = try single(depth: depth)
        while take(.word("and"), .symbol("&&")) { left = .and(left, try single(depth: depth)) }
        return left
    }

    private mutating func single(depth: Int) throws(Failure) -> Condition {
        if take(.word("not"), .symbol("!")) {
            guard depth < 50 else { throw Failure(column: column, reason: "nested too deeply") }
            return .not(try single(depth: depth + 1))
        }
        if take(.symbol("(")) {
            let inner = try alternatives(depth: depth + 1)
            guard take(.symbol(")")) else { throw Failure(column: column, reason: "expected `)`") }
            return inner
        }
        guard index < tokens.count, case .word(var field) = tokens[index].token else {
            throw Failure(column: column, reason: "expected a field")
        }
        index += 1
        if field.hasPrefix(entity + ".") { field.removeFirst(entity.count + 1) }
        if take(.word("in")) { return .member(field: field, try list()) }
        for comparison in Condition.Comparison.allCases where take(.symbol(comparison.rawValue)) {
            return .compare(field: field, comparison, try literal())
        }
        return .truth(field: field)
    }

    private mutating func literal() throws(Failure) -> Value {
        guard index < tokens.count, case .literal(let value) = tokens[index].token else {
            throw Failure(column: column, reason: "expected a text in quotes, a number, true, false or null")
        }
        index += 1
        return value
    }

    private mutating func list() throws(Failure) -> [Value] {
        guard take(.symbol("[")) else { throw Failure(column: column, reason: "expected `[`") }
        var values: [Value] = []
        repeat { values.append(try literal()) } while take(.symbol(","))
        guard take(.symbol("]")) else { throw Failure(column: column, reason: "expected `]`") }
        return values
    }
}
