package import HubModel

/// Dates and times as RFC 3339 writes them.
enum RFC3339 {
    /// A date of the Gregorian calendar.
    struct Date {
        var year: Int
        var month: Int
        var day: Int

        /// Days since 1970-01-01.
        var days: Int {
            // Years begin in March here, so that the leap day is the last.
            let y = month <= 2 ? year - 1 : year
            let era = (y >= 0 ? y : y - 399) / 400
            let yearOfEra = y - era * 400
            let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
            return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        }

        init(year: Int, month: Int, day: Int) {
            self.year = year
            self.month = month
            self.day = day
        }

        init(days: Int) {
            let z = days + 719_468
            let era = (z >= 0 ? z : z - 146_096) / 146_097
            let dayOfEra = z - era * 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let shifted = (5 * dayOfYear + 2) / 153
            day = dayOfYear - (153 * shifted + 2) / 5 + 1
            month = shifted < 10 ? shifted + 3 : shifted - 9
            year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        }

        var isReal: Bool {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            guard (1...12).contains(month) else { return false }
            return (1...[31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]).contains(day)
        }
    }

    /// A time of day with its offset.
    struct Time {
        var hour: Int
        var minute: Int
        /// 60 in a leap second.
        var second: Int
        /// Of a second, cut.
        var millisecond: Int
        /// Minutes ahead of UTC.
        var offset: Int

        /// A second 60 only ends the last minute of a day in UTC.
        var isLeapSecondAtItsPlace: Bool {
            second < 60 || ((hour * 60 + minute - offset) % 1440 + 1440) % 1440 == 1439
        }
    }

    static func isDate(_ text: String) -> Bool {
        var rest = text.utf8[...]
        return date(&rest) != nil && rest.isEmpty
    }

    static func isTime(_ text: String) -> Bool {
        var rest = text.utf8[...]
        return time(&rest)?.isLeapSecondAtItsPlace == true && rest.isEmpty
    }

    static func isDateTime(_ text: String) -> Bool {
        var rest = text.utf8[...]
        guard date(&rest) != nil, let mark = rest.popFirst(), mark | 0x20 == 0x74 else { return false }
        return time(&rest)?.isLeapSecondAtItsPlace == true && rest.isEmpty
    }

    static func date(_ rest: inout Substring.UTF8View) -> Date? {
        guard let year = number(&rest, 4), rest.popFirst() == 0x2D, let month = number(&rest, 2), rest.popFirst() == 0x2D,
            let day = number(&rest, 2)
        else { return nil }
        let date = Date(year: year, month: month, day: day)
        return date.isReal ? date : nil
    }

    static func time(_ rest: inout Substring.UTF8View) -> Time? {
        guard let hour = number(&rest, 2), hour < 24, rest.popFirst() == 0x3A, let minute = number(&rest, 2), minute < 60,
            rest.popFirst() == 0x3A, let second = number(&rest, 2), second <= 60
        else { return nil }
        var millisecond = 0
        if rest.first == 0x2E {
            rest.removeFirst()
            let digits = rest.prefix { $0 &- 0x30 < 10 }
            guard !digits.isEmpty else { return nil }
            rest = rest[digits.endIndex...]
            for place in digits.indices.prefix(3) { millisecond = millisecond * 10 + Int(digits[place] - 0x30) }
            for _ in min(digits.count, 3)..<3 { millisecond *= 10 }
        }
        guard let offset = offset(&rest) else { return nil }
        return Time(hour: hour, minute: minute, second: second, millisecond: millisecond, offset: offset)
    }

    private static func offset(_ rest: inout Substring.UTF8View) -> Int? {
        guard let sign = rest.popFirst() else { return nil }
        if sign | 0x20 == 0x7A { return 0 }
        guard sign == 0x2B || sign == 0x2D, let hours = number(&rest, 2), hours < 24, rest.popFirst() == 0x3A,
            let minutes = number(&rest, 2), minutes < 60
        else { return nil }
        return (hours * 60 + minutes) * (sign == 0x2D ? -1 : 1)
    }

    private static func number(_ rest: inout Substring.UTF8View, _ digits: Int) -> Int? {
        var value = 0
        for _ in 0..<digits {
            guard let byte = rest.popFirst(), byte &- 0x30 < 10 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }
}

extension Instant {
    /// From a text like `2018-04-05T03:56:24.25+02:00` (RFC 3339, section 5.6); nil for anything else.
    ///
    /// A space may stand for the `T`; fractions past milliseconds are cut; a leap second is the first instant of the next minute.
    package init?(rfc3339 text: String) {
        var rest = text.utf8[...]
        guard let date = RFC3339.date(&rest), let mark = rest.popFirst(), mark | 0x20 == 0x74 || mark == 0x20,
            let time = RFC3339.time(&rest), rest.isEmpty
        else { return nil }
        let seconds = date.days * 86_400 + time.hour * 3600 + (time.minute - time.offset) * 60 + time.second
        self.init(milliseconds: Int64(seconds) * 1000 + Int64(time.second == 60 ? 0 : time.millisecond))
    }

    /// This in UTC: `2018-04-05T03:56:24Z`, with three decimals where it is no whole second. Years outside 0 to 9999 are held at these.
    package var rfc3339Text: String {
        let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let (days, ofDay) = clamped.flooredQuotientAndRemainder(by: 86_400_000)
        let date = RFC3339.Date(days: Int(days))
        func padded(_ value: Int, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        let seconds = Int(ofDay) / 1000
        let fraction = Int(ofDay) % 1000
        return padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) + "T" + padded(seconds / 3600, 2) + ":"
            + padded(seconds / 60 % 60, 2) + ":" + padded(seconds % 60, 2) + (fraction == 0 ? "" : "." + padded(fraction, 3)) + "Z"
    }
}

extension Int64 {
    fileprivate func flooredQuotientAndRemainder(by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
