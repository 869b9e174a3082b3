import HubModel

/// What lies there, and what is planned to leave and to arrive; quantities at the scale of ``StockQuestion``.
struct StockPlan: Sendable, Hashable {
    private(set) var free: Int64
    private let onHand: Int64
    private let today: String
    /// Day → what comes and goes on it; what should have happened already happens today.
    private var changes: [String: Int64] = [:]

    init(onHand: Int64, today: String) {
        free = onHand
        self.onHand = onHand
        self.today = today
    }

    /// Adds a planned move: what leaves is below zero.
    ///
    /// - Parameter day: nil: nobody knows when. What leaves then is counted at once, what arrives not at all.
    mutating func add(_ quantity: Int64, on day: String?) {
        if quantity < 0 { free += quantity }
        guard let day = day ?? (quantity < 0 ? today : nil) else { return }
        changes[day.precedesInBytes(today) ? today : day, default: 0] += quantity
    }

    /// The first day from which on the quantity is left on every day to come; nil where there is none.
    func firstDay(for quantity: Int64, from day: String?) -> String? {
        let start = day.map { $0.precedesInBytes(today) ? today : $0 } ?? today
        var level = onHand
        var levels: [(day: String, level: Int64)] = []
        for day in Set(changes.keys).union([today]).sorted(by: { $0.precedesInBytes($1) }) {
            level += changes[day] ?? 0
            levels.append((day, level))
        }
        guard level >= quantity else { return nil }
        // Backwards, as long as enough is left.
        var first = today
        for (day, level) in levels.reversed() {
            if level < quantity { break }
            first = day
        }
        return first.precedesInBytes(start) ? start : first
    }
}
