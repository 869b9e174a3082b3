import HubDriver
import HubModel

/// How far capture has come, as the text that the hub keeps.
struct CapturePosition: Sendable, Equatable {
    /// One type's part, in one company where it is kept per company.
    struct Feed: Sendable, Equatable {
        /// The walk under way through what changed since ``since``; nil between walks.
        var walk: PageCursor?
        /// Where the walk under way begins, in milliseconds or as a change's number; nil: at the beginning.
        var since: Int64?
        /// The latest change seen, likewise.
        var latest: Int64?
        /// Of documents that changed within the overlap before ``latest``: when, and a mark of what was told.
        var told: [String: Told] = [:]
        /// Documents that were told and not told deleted.
        var keys: Set<String> = []
        /// When the keys were last compared, by the hub's clock.
        var swept: Int64 = 0
    }

    struct Told: Sendable, Equatable {
        var time: Int64
        var mark: String
    }

    var feeds: [String: Feed] = [:]

    init() {}

    init(_ text: String) throws(DriverError) {
        guard let fields = try? JSONText.fields(text), fields["form"]?.integer == 1, let feeds = fields["feeds"]?.object else {
            throw DriverError(.configuration, "\(text.prefix(40)) is no position of this application.")
        }
        for (name, value) in feeds {
            var feed = Feed()
            if let walk = value["walk"], !walk.isNull { feed.walk = try PageCursor(JSONText.text(walk)) }
            feed.since = value["since"]?.changeNumber
            feed.latest = value["latest"]?.changeNumber
            feed.keys = Set((value["keys"]?.array ?? []).compactMap(\.text))
            feed.swept = value["swept"]?.integer ?? 0
            for (key, told) in value["told"]?.object ?? Fields() {
                guard let time = told["time"]?.changeNumber, let mark = told["mark"]?.text else { continue }
                feed.told[key] = Told(time: time, mark: mark)
            }
            self.feeds[name] = feed
        }
    }

    var text: String {
        let feeds = Fields(
            feeds.map { name, feed in
                var fields: Fields = [
                    "keys": .array(feed.keys.sorted().map { .string($0) }), "swept": .number(Number(feed.swept)),
                    "told": .object(
                        Fields(feed.told.map { ($0, .object(["time": .number(Number($1.time)), "mark": .string($1.mark)])) })),
                ]
                if let walk = feed.walk { fields["walk"] = walk.value }
                if let since = feed.since { fields["since"] = .number(Number(since)) }
                if let latest = feed.latest { fields["latest"] = .number(Number(latest)) }
                return (name, .object(fields))
            })
        return JSONText.text(.object(["form": 1, "feeds": .object(feeds)]))
    }

    /// Tells two states of one document apart: its token, or FNV-1a over its text.
    static func mark(_ document: NativeDocument) -> String {
        if let token = document.token { return token.rawValue }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in JSONText.bytes(.object(document.fields)) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return String(hash, radix: 36)
    }
}

extension Value {
    /// A whole number of 64 bits with all its digits; systems that hold such numbers mostly tell them as texts.
    fileprivate var changeNumber: Int64? { integer ?? keyText.flatMap { Int64($0) } }
}

extension ChangeForm {
    /// The moment that a document's member tells, in milliseconds, or the change's number; nil where it tells none.
    func place(_ value: Value) -> Int64? {
        switch self {
        case .rfc3339: return value.text.flatMap { MomentText.instant($0) }?.milliseconds
        case .seconds: return value.number?.coefficient(atScale: 3)
        case .milliseconds: return value.integer
        case .number: return value.changeNumber
        }
    }

    /// The moment of a place; nil where places are numbers.
    func moment(_ place: Int64) -> Instant? { self == .number ? nil : Instant(milliseconds: place) }

    /// As a filter has it.
    func text(_ place: Int64) -> String {
        switch self {
        case .rfc3339: MomentText.text(Instant(milliseconds: place))
        case .seconds: String(place / 1000)
        case .milliseconds, .number: String(place)
        }
    }
}
