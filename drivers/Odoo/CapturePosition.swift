import HubDriver
import HubModel

/// How far capture has come, as the text that the hub keeps.
struct CapturePosition: Sendable, Equatable {
    /// One model's part.
    struct Place: Sendable, Equatable {
        /// While the model is gone through for the first time: the last number told. Nil afterwards.
        var first: Int64?
        /// The latest `write_date` seen, `2026-03-01 11:00:00`; nil where the model has had no document yet.
        var date: String?
        /// Of documents that changed within the overlap before ``date``: what was told of them.
        var told: [Int64: Told] = [:]
        /// Documents that were told and not told deleted.
        var keys = KeyRanges()
        /// All numbers up to this one are known to have been told, or never to have had a document worth telling.
        var top: Int64?
        /// When something new was last found, by the hub's clock.
        var moved = Instant(milliseconds: 0)
        /// When the keys were last compared, by the hub's clock.
        var swept = Instant(milliseconds: 0)

        init(first: Int64? = 0) { self.first = first }
    }

    /// What was told of a document: its `write_date` and a hash of its content, as the date is cut to seconds.
    struct Told: Sendable, Equatable {
        var date: String
        var hash: String
    }

    var places: [String: Place] = [:]

    init() {}

    init(text: String) throws(DriverError) {
        guard let fields = try? JSONText.fields(text), let models = fields["models"]?.object, fields["form"]?.integer == 1 else {
            throw DriverError(.configuration, "\(text.prefix(40)) is no position of this application.")
        }
        for (model, value) in models {
            guard let keys = KeyRanges(text: value["keys"]?.text ?? "") else {
                throw DriverError(.configuration, "The keys of \(model) in the position cannot be read.")
            }
            var place = Place(first: value["first"]?.integer)
            place.date = value["date"]?.text
            place.top = value["top"]?.integer
            place.keys = keys
            place.moved = Instant(milliseconds: value["moved"]?.integer ?? 0)
            place.swept = Instant(milliseconds: value["swept"]?.integer ?? 0)
            for (key, told) in value["told"]?.object ?? Fields() {
                guard let id = Int64(key), let pair = told.array, pair.count == 2, let date = pair[0].text, let hash = pair[1].text else {
                    continue
                }
                place.told[id] = Told(date: date, hash: hash)
            }
            places[model] = place
        }
    }

    var text: String {
        var models = Fields()
        for (model, place) in places {
            var fields: Fields = [
                "keys": .string(place.keys.text), "moved": .number(Number(place.moved.milliseconds)),
                "swept": .number(Number(place.swept.milliseconds)),
                "told": .object(Fields(place.told.map { (String($0), .array([.string($1.date), .string($1.hash)])) })),
            ]
            if let first = place.first { fields["first"] = .number(Number(first)) }
            if let top = place.top { fields["top"] = .number(Number(top)) }
            if let date = place.date { fields["date"] = .string(date) }
            models[model] = .object(fields)
        }
        return JSONText.text(.object(["form": 1, "models": .object(models)]))
    }

    /// FNV-1a over a document's text: tells two states of one document apart within a second.
    static func hash(of fields: Fields) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in JSONText.bytes(.object(fields)) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return String(hash, radix: 36)
    }
}
