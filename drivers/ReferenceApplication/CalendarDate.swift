package import HubModel

/// A day of the Gregorian calendar, counted from 1970-01-01: what due dates are reckoned with.
package struct CalendarDate: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var day: Int

    package init(day: Int) { self.day = day }

    /// The day in which an instant lies, in UTC.
    package init(_ instant: Instant) { day = instant.utc.date.dayNumber }

    /// From `2026-02-28`; nil where the text names no day.
    package init?(_ text: String) {
        guard let date = CivilDate(text) else { return nil }
        day = date.dayNumber
    }

    package var description: String { CivilDate(dayNumber: day).description }

    package static func < (a: Self, b: Self) -> Bool { a.day < b.day }

    /// A moment as RFC 3339 text in UTC, to the second.
    package static func text(_ instant: Instant) -> String { "\(instant.utc.date)T\(instant.utc.clock)Z" }
}
