package import HubModel

/// Dates and times as RFC 3339 writes them.
enum RFC3339 {
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

    static func date(_ rest: inout Substring.UTF8View) -> CivilDate? {
        guard let year = number(&rest, 4), rest.popFirst() == 0x2D, let month = number(&rest, 2), rest.popFirst() == 0x2D,
            let day = number(&rest, 2)
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
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
        let moment = CivilMoment(
            date: date, hour: time.hour, minute: time.minute - time.offset, second: time.second,
            millisecond: time.second == 60 ? 0 : time.millisecond)
        self.init(utc: moment)
    }

    /// This in UTC: `2018-04-05T03:56:24Z`, with three decimals where it is no whole second. Years outside 0 to 9999 are held at these.
    package var rfc3339Text: String {
        let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let moment = Instant(milliseconds: clamped).utc
        return "\(moment.date)T\(moment.clock)\(moment.fraction)Z"
    }
}
