extension Duration {
    /// What ``init(deadline:)`` takes, for people.
    package static let deadlineForm = "has to be a time such as 2s or 1500ms, 60s at most"

    /// From `1500ms`, `2s` or `2.5s`, above zero and no more than ``RunningHub/longestQuestionDeadline``; nil for anything else.
    package init?(deadline text: String) {
        let units: [(suffix: String, milliseconds: Double)] = [("ms", 1), ("s", 1000)]
        guard let unit = units.first(where: { text.hasSuffix($0.suffix) }), let count = Double(text.dropLast(unit.suffix.count)),
            count.isFinite, count > 0
        else { return nil }
        let deadline = Duration.milliseconds(min(count * unit.milliseconds, 1e9).rounded(.up))
        guard deadline <= RunningHub.longestQuestionDeadline else { return nil }
        self = deadline
    }
}
