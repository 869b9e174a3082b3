package import HubModel

/// A day of the Gregorian calendar, counted from 1970-01-01: what due dates are reckoned with.
package struct CalendarDate: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var day: Int

    package init(day: Int) { self.day = day }

    /// The day in which an instant lies, in UTC.
    package init(_ instant: Instant) {
        let (days, rest) = instant.milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        day = Int(days) - (rest < 0 ? 1 : 0)
    }

    /// From `2026-02-28`; nil where the text names no day.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard text.utf8.count == 10, parts.count == 3, parts.map(\.utf8.count) == [4, 2, 2],
            let year = UInt(parts[0]), let month = UInt(parts[1]), let date = UInt(parts[2]), (1...12).contains(month)
        else { return nil }
        // Years run from March, so that the leap day is the last one.
        let y = Int(year) - (month <= 2 ? 1 : 0)
        let era = y >= 0 ? y / 400 : -1
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * ((Int(month) + 9) % 12) + 2) / 5 + Int(date) - 1
        day = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        guard description == text else { return nil }
    }

    package var description: String {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = (shiftedMonth + 2) % 12 + 1
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func padded(_ number: Int, _ width: Int) -> String {
            String(repeating: "0", count: max(0, width - String(number).count)) + String(number)
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1, 2))"
    }

    package static func < (a: Self, b: Self) -> Bool { a.day < b.day }

    /// A moment as RFC 3339 text in UTC, to the second.
    package static func text(_ instant: Instant) -> String {
        let date = CalendarDate(instant)
        let second = (instant.milliseconds - Int64(date.day) * 86_400_000) / 1000
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
        return "\(date)T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
    }
}
