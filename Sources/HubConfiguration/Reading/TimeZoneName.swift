// Time zones by name need the tables that only the whole of Foundation brings along.
import Foundation

/// The time zones of the tz database, by name.
enum TimeZoneName {
    /// nil where there is no zone of that name. Abbreviations (`CET`) that stand for no rules of their own are not taken.
    static func zone(_ name: String) -> TimeZone? {
        guard name.contains("/") || name == "UTC" || name == "GMT" else { return nil }
        return TimeZone(identifier: name)
    }

    static var all: [String] { TimeZone.knownTimeZoneIdentifiers }
}
