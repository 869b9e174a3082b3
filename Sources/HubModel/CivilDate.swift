/// A day of the Gregorian calendar, reckoned backwards beyond its introduction too; year 0 is 1 BC.
public struct CivilDate: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var year: Int
    /// 1 to 12.
    public var month: Int
    /// Counted from 1.
    public var day: Int

    /// Takes what it is given: ``isReal`` tells whether there is such a day.
    public init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day that lies so many days after 1970-01-01.
    public init(dayNumber: Int) {
        let (era, ofEra) = Self.floored(dayNumber + Self.daysBefore1970, Self.daysOfEra)
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * ofYear + 2) / 153
        day = ofYear - (153 * shifted + 2) / 5 + 1
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01; meaningless where the date is not real.
    public var dayNumber: Int {
        let (era, yearOfEra) = Self.floored(month <= 2 ? year - 1 : year, 400)
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * Self.daysOfEra + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear - Self.daysBefore1970
    }

    // Eras of 400 years, of years that begin in March, so that the leap day is the last of its year.
    private static let daysOfEra = 146_097
    /// From the first day of March of year 0.
    private static let daysBefore1970 = 719_468

    /// Whether the calendar has this day.
    public var isReal: Bool {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        guard (1...12).contains(month), day >= 1 else { return false }
        return day <= (month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31)
    }

    /// From `2026-02-28`; nil where the text is written otherwise or names no day.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], let year = UInt(parts[0]), let month = UInt(parts[1]), let day = UInt(parts[2]),
            !text.utf8.contains(UInt8(ascii: "+"))
        else { return nil }
        self.init(year: Int(year), month: Int(month), day: Int(day))
        guard isReal else { return nil }
    }

    /// `2026-02-28`; years of other than four digits as they are, with a sign where they are negative.
    public var description: String { "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))" }

    public static func < (a: CivilDate, b: CivilDate) -> Bool { (a.year, a.month, a.day) < (b.year, b.month, b.day) }

    static func padded(_ number: Int, _ length: Int) -> String {
        let digits = String(number.magnitude)
        return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, length - digits.utf8.count)) + digits
    }

    static func floored(_ value: Int, _ divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

/// A day and the time of day, in whatever zone it was reckoned for.
public struct CivilMoment: Sendable, Hashable {
    public var date: CivilDate
    /// Since midnight; 86,400 and more run into the days after.
    public var second: Int
    public var millisecond: Int

    public init(date: CivilDate, second: Int, millisecond: Int = 0) {
        self.date = date
        self.second = second
        self.millisecond = millisecond
    }

    public init(date: CivilDate, hour: Int, minute: Int, second: Int, millisecond: Int = 0) {
        self.init(date: date, second: hour * 3600 + minute * 60 + second, millisecond: millisecond)
    }

    /// `08:05:00`.
    public var clock: String {
        [second / 3600, second / 60 % 60, second % 60].map { CivilDate.padded($0, 2) }.joined(separator: ":")
    }

    /// `.250`; empty for a whole second.
    public var fraction: String { millisecond == 0 ? "" : "." + CivilDate.padded(millisecond, 3) }
}

extension Instant {
    /// The instant at which clocks in UTC show this moment.
    public init(utc moment: CivilMoment) {
        let seconds = Int64(moment.date.dayNumber) * 86_400 + Int64(moment.second)
        self.init(milliseconds: seconds * 1000 + Int64(moment.millisecond))
    }

    /// What clocks in UTC show.
    public var utc: CivilMoment {
        let (days, rest) = CivilDate.floored(Int(milliseconds), 86_400_000)
        return CivilMoment(date: CivilDate(dayNumber: days), second: rest / 1000, millisecond: rest % 1000)
    }
}
