import HubModel

/// What speaks against an order, as it is found.
struct Violations: Sendable {
    private(set) var list: [Rejection] = []

    mutating func add(_ rule: String, _ field: String?, _ text: String) {
        list.append(Rejection(rule: rule, field: field, text: text))
    }

    /// Runs what may refuse, and keeps the refusal.
    mutating func note(_ body: () throws(TrytonFailure) -> Void) throws(TrytonFailure) {
        do { try body() } catch { try keep(error) }
    }

    /// Nil where it refused.
    mutating func noted<T>(_ body: () async throws(TrytonFailure) -> T) async throws(TrytonFailure) -> T? {
        do { return try await body() } catch {
            try keep(error)
            return nil
        }
    }

    private mutating func keep(_ failure: TrytonFailure) throws(TrytonFailure) {
        guard case .refused(let rejection) = failure, rejection.rule != "internal-error" else { throw failure }
        if !list.contains(rejection) { list.append(rejection) }
    }
}
