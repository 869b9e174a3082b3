/// Odoo's moments on the wire, `2026-03-01 11:00:00` in UTC, moved by seconds.
enum PlainMoment {
    /// The moment `seconds` before; the text itself where it is no moment.
    static func text(_ text: String, minus seconds: Int64) -> String {
        guard let moment = self.seconds(text) else { return text }
        return self.text(moment - seconds)
    }

    /// Seconds since 1970; nil where it is no moment.
    static func seconds(_ text: String) -> Int64? {
        let parts = text.split(whereSeparator: { $0 == "-" || $0 == " " || $0 == ":" }).map { Int64($0) }
        guard parts.count == 6, let y = parts[0], let m = parts[1], let d = parts[2], let hour = parts[3], let minute = parts[4],
            let second = parts[5], (1...12).contains(m), (1...31).contains(d)
        else { return nil }
        return days(y, m, d) * 86_400 + hour * 3600 + minute * 60 + second
    }

    static func text(_ seconds: Int64) -> String {
        let day = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let rest = seconds - day * 86_400
        let (y, m, d) = date(day)
        return
            "\(padded(y, 4))-\(padded(m, 2))-\(padded(d, 2)) \(padded(rest / 3600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))"
    }

    private static func padded(_ number: Int64, _ length: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, length - text.utf8.count)) + text
    }

    /// Years run from March, so that the leap day is the last one.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let y = year - (month <= 2 ? 1 : 0)
        let era = (y >= 0 ? y : y - 399) / 400
        let ofEra = y - era * 400
        let ofYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }

    private static func date(_ days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let ofEra = shifted - era * 146_097
        let year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * year + year / 4 - year / 100)
        let m = (5 * ofYear + 2) / 153
        let month = m < 10 ? m + 3 : m - 9
        return (year + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * m + 2) / 5 + 1)
    }
}
