/// Dates and moments as text (ISO 8601, RFC 3339), read and written by hand: one of them stands in almost every document.
enum CalendarText {
    /// A day of the Gregorian calendar.
    struct Day: Hashable {
        var year: Int
        var month: Int
        var day: Int

        /// Days since 1970-01-01.
        var number: Int {
            // Years begin in March here, so that the leap day is the last.
            let y = month <= 2 ? year - 1 : year
            let era = (y >= 0 ? y : y - 399) / 400
            let ofEra = y - era * 400
            let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
            return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
        }

        init(year: Int, month: Int, day: Int) {
            self.year = year
            self.month = month
            self.day = day
        }

        init(number: Int) {
            let z = number + 719_468
            let era = (z >= 0 ? z : z - 146_096) / 146_097
            let ofEra = z - era * 146_097
            let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
            let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let shifted = (5 * ofYear + 2) / 153
            day = ofYear - (153 * shifted + 2) / 5 + 1
            month = shifted < 10 ? shifted + 3 : shifted - 9
            year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        }

        /// `2026-03-01`; nil where the year does not have four digits.
        var text: String? {
            guard (0...9999).contains(year) else { return nil }
            return String(unsafeUninitializedCapacity: 10) { buffer in
                CalendarText.write(year, digits: 4, at: 0, buffer)
                buffer[4] = 0x2D
                CalendarText.write(month, digits: 2, at: 5, buffer)
                buffer[7] = 0x2D
                CalendarText.write(day, digits: 2, at: 8, buffer)
                return 10
            }
        }
    }

    /// A moment as it was written.
    struct Moment: Hashable {
        /// Seconds since 1970-01-01T00:00:00Z.
        var seconds: Int64
        var nanoseconds: Int32 = 0
        /// Seconds east of UTC; nil where the text names no offset, which counts as UTC.
        var offset: Int?
        /// Digits behind the seconds, as many as were written (up to nine).
        var precision = 0

        /// RFC 3339 text with this moment's own offset (`Z` for none and for zero); nil where the year does not have four digits.
        var text: String? { text(separator: "T", zone: true) }

        func text(separator: Character, zone: Bool) -> String? {
            // An offset with seconds, as before clocks were regulated, has no RFC 3339 text: UTC has.
            let shift = zone ? offset.map { $0 % 60 == 0 ? $0 : 0 } ?? 0 : 0
            let local = seconds + Int64(shift)
            let days = Int(local >= 0 ? local / 86400 : (local - 86399) / 86400)
            guard let day = Day(number: days).text else { return nil }
            let rest = Int(local - Int64(days) * 86400)
            var result = day + String(separator) + Self.clock(rest)
            if precision > 0 {
                let digits = String(Int(nanoseconds) + 1_000_000_000).dropFirst()
                result += "." + digits.prefix(precision)
            }
            guard zone else { return result }
            if shift == 0 { return result + "Z" }
            return result + (shift < 0 ? "-" : "+") + Self.clock(abs(shift)).prefix(5)
        }

        private static func clock(_ seconds: Int) -> String {
            String(unsafeUninitializedCapacity: 8) { buffer in
                CalendarText.write(seconds / 3600, digits: 2, at: 0, buffer)
                buffer[2] = 0x3A
                CalendarText.write(seconds / 60 % 60, digits: 2, at: 3, buffer)
                buffer[5] = 0x3A
                CalendarText.write(seconds % 60, digits: 2, at: 6, buffer)
                return 8
            }
        }
    }

    private static func write(_ value: Int, digits: Int, at start: Int, _ buffer: UnsafeMutableBufferPointer<UInt8>) {
        var value = value
        for place in (start..<start + digits).reversed() {
            buffer[place] = 0x30 + UInt8(value % 10)
            value /= 10
        }
    }

    // MARK: Reading

    private static func digits(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int) -> Int? {
        guard start + count <= bytes.count else { return nil }
        var value = 0
        for place in start..<start + count {
            let digit = bytes[place] &- 0x30
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    /// The day at the start of the bytes: `2026-03-01`.
    static func day(_ bytes: UnsafeBufferPointer<UInt8>) -> Day? {
        guard bytes.count >= 10, bytes[4] == 0x2D, bytes[7] == 0x2D, let year = digits(bytes, 0, 4),
            let month = digits(bytes, 5, 2), let day = digits(bytes, 8, 2), (1...12).contains(month), day >= 1
        else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let last = month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        return day <= last ? Day(year: year, month: month, day: day) : nil
    }

    /// The moment that the bytes are, all of them: a day, `T` or a space, the time of day, and perhaps an offset
    /// (`Z`, `+02`, `+0200`, `+02:00`). Tells too whether the text is in the hub's own form already.
    static func moment(_ bytes: UnsafeBufferPointer<UInt8>) -> (moment: Moment, isCanonical: Bool)? {
        guard bytes.count >= 16, let day = day(bytes), bytes[10] == 0x54 || bytes[10] == 0x74 || bytes[10] == 0x20,
            let hour = digits(bytes, 11, 2), hour <= 23, bytes[13] == 0x3A, let minute = digits(bytes, 14, 2), minute <= 59
        else { return nil }
        var canonical = bytes[10] == 0x54
        var at = 16
        var moment = Moment(seconds: 0)
        var second = 0
        if at < bytes.count, bytes[at] == 0x3A {
            guard let read = digits(bytes, at + 1, 2), read <= 60 else { return nil }
            second = read
            at += 3
            if at < bytes.count, bytes[at] == 0x2E || bytes[at] == 0x2C {
                canonical = canonical && bytes[at] == 0x2E
                let start = at + 1
                at = start
                while at < bytes.count, bytes[at] &- 0x30 < 10 { at += 1 }
                guard at > start else { return nil }
                moment.precision = min(at - start, 9)
                canonical = canonical && at - start <= 9
                for place in 0..<9 {
                    moment.nanoseconds = moment.nanoseconds * 10 + (start + place < at ? Int32(bytes[start + place] - 0x30) : 0)
                }
            }
        } else {
            canonical = false
        }
        moment.seconds = Int64(day.number) * 86400 + Int64(hour * 3600 + minute * 60 + second)
        // A leap second is written as the second after it: few applications would take it back.
        canonical = canonical && second < 60
        guard at < bytes.count else { return (moment, false) }
        switch bytes[at] {
        case 0x5A, 0x7A:
            guard at + 1 == bytes.count else { return nil }
            moment.offset = 0
            return (moment, canonical && bytes[at] == 0x5A)
        case 0x2B, 0x2D:
            guard let hours = digits(bytes, at + 1, 2), hours <= 23 else { return nil }
            var minutes = 0
            let rest = bytes.count - at
            if rest > 3 {
                guard let read = digits(bytes, bytes.count - 2, 2), read <= 59, rest == 5 || rest == 6 && bytes[at + 3] == 0x3A
                else { return nil }
                minutes = read
            }
            let offset = (hours * 3600 + minutes * 60) * (bytes[at] == 0x2D ? -1 : 1)
            moment.seconds -= Int64(offset)
            moment.offset = offset
            return (moment, canonical && rest == 6 && offset != 0)
        default: return nil
        }
    }

    static func day(_ text: String) -> Day? {
        var text = text
        return text.withUTF8 { $0.count == 10 ? day($0) : nil }
    }

    static func moment(_ text: String) -> Moment? {
        var text = text
        return text.withUTF8 { moment($0)?.moment }
    }
}
