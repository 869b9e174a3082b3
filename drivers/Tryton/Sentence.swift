import HubModel

/// One of Tryton's messages in the language in which Tryton answers, and the rule that it tells: what is fixed in it, in its order.
struct Sentence: Sendable, Hashable {
    var pieces: [String]
    var rule: String

    /// From a message with its places to fill in, `A value is required for field "%(field)s" …`; nil where nothing of it is fixed.
    init?(_ message: String, rule: String) {
        pieces = []
        var rest = Substring(message)
        while let open = rest.firstRange(of: "%(") {
            pieces.append(String(rest[..<open.lowerBound]))
            guard let close = rest[open.upperBound...].firstRange(of: ")s") else { break }
            rest = rest[close.upperBound...]
        }
        pieces.append(String(rest))
        pieces = pieces.filter { !$0.isEmpty }
        self.rule = rule
        // A word or two stand in too many other sentences.
        if pieces.reduce(0, { $0 + $1.count }) < Self.least { return nil }
    }

    private static let least = 12

    func fits(_ text: String) -> Bool {
        var rest = Substring(text)
        for piece in pieces {
            guard let found = rest.firstRange(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }

    /// Tryton's messages, read in English, which says what they mean, and in the language in which they will come.
    static func read(_ connection: TrytonConnection, deadline: ContinuousClock.Instant) async throws(TrytonFailure) -> [Sentence] {
        guard connection.settings.language != "en" else { return [] }
        do {
            let english = try await messages(connection, "en", deadline)
            let translated = try await messages(connection, connection.settings.language, deadline)
            return english.compactMap { id, text in
                let rule = TrytonRules.rejection(text).rule
                guard rule != "refused", let message = translated[id], message != text else { return nil }
                return Sentence(message, rule: rule)
            }
        } catch {
            // Who may not read them hears of most refusals as "refused".
            guard case .refused = error else { throw error }
            return []
        }
    }

    private static func messages(
        _ connection: TrytonConnection, _ language: String, _ deadline: ContinuousClock.Instant
    ) async throws(TrytonFailure) -> [Int64: String] {
        let rows = try await connection.call(
            "ir.message", "search_read", [[], 0, 10_000, .null, ["text"]], context: ["language": .string(language)], deadline: deadline)
        var texts: [Int64: String] = [:]
        for row in rows.array ?? [] { if let id = row["id"]?.integer { texts[id] = row["text"]?.text } }
        return texts
    }
}
