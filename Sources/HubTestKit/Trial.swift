import HubDriver
import HubModel
import Synchronization

/// One check of one sample, with a driver of its own; calls it as the hub does.
struct Trial: Sendable {
    let bench: any DriverBench
    let options: ConformanceOptions
    let marks: Marks
    let sample: Sample
    let driver: any Driver
    var manifest: Manifest { driver.manifest }
    let entity: EntityManifest
    var faults: any FaultInjector { bench.faults }

    func creates() -> Bool { entity.operations.contains(.create) }
    func updates() -> Bool { entity.operations.contains(.update) }

    // MARK: Deliveries

    /// A good create.
    func creation() async throws -> Delivery {
        guard creates() else { throw Verdict.notApplicable("\(sample.native) takes no creates") }
        return delivery(.create, try await sample.create(marks.next()), reference: marks.reference(entity.entity))
    }

    /// An update of what is held, on condition of the state held.
    func update(_ held: Held, _ fields: Fields) -> Delivery { change(.update, held, fields) }

    func deletion(_ held: Held) -> Delivery { change(.delete, held, Fields()) }

    /// An update with values that were never there.
    func update(_ held: Held) throws -> Delivery {
        guard updates() else { throw Verdict.notApplicable("\(sample.native) takes no updates") }
        return update(held, sample.change(marks.next()))
    }

    private func change(_ operation: Delivery.Operation, _ held: Held, _ fields: Fields) -> Delivery {
        var delivery = delivery(operation, fields, reference: held.reference)
        delivery.key = held.document.key
        let known = held.document.fields.filter { held.names.contains($0.name) }
        delivery.expected =
            entity.hasToken ? .init(token: held.document.token, fields: Fields()) : .init(token: nil, fields: known)
        return delivery
    }

    private func delivery(_ operation: Delivery.Operation, _ fields: Fields, reference: CanonicalID) -> Delivery {
        Delivery(
            target: Target("kit", CompanyID(sample.company ?? ""), reference), version: Version(generation: 1, number: marks.number()),
            operation: operation, native: sample.native, company: sample.company, reference: reference, fields: fields)
    }

    // MARK: Documents

    /// A document as last told, under the hub's reference.
    struct Held: Sendable {
        var reference: CanonicalID
        var document: NativeDocument
        /// Members that the hub's mapping would know.
        var names: Set<String>
        /// Members that are to stand.
        var wanted: Fields

        /// This after a write has been answered.
        func after(_ delivery: Delivery, _ document: NativeDocument) -> Held {
            Held(
                reference: reference, document: document, names: names.union(delivery.fields.names),
                wanted: wanted.overlaid(with: delivery.fields))
        }
    }

    /// A new document, made by the driver, or by a person where the type takes no creates.
    func newDocument() async throws -> Held {
        guard creates() else {
            guard let make = sample.make else { throw Verdict.absent("\(sample.native) takes no creates, and the bench makes none") }
            let key = try await make(marks.next())
            guard let document = try await read(key) else { throw Verdict.failed("\(sample.native) \(key) was made, but is not read") }
            return Held(
                reference: document.reference ?? marks.reference(entity.entity), document: document, names: Set(document.fields.names),
                wanted: document.fields)
        }
        let delivery = try await creation()
        let document = try await written(delivery)
        return Held(reference: delivery.reference, document: document, names: Set(delivery.fields.names), wanted: delivery.fields)
    }

    /// The members of `wanted` that do not stand in `told`.
    func missing(_ wanted: Fields, in told: Fields) -> Fields {
        wanted.filter { !sample.isSame($0.name, $0.value, told[$0.name] ?? .null) }
    }

    /// What differs, for a report.
    func difference(_ wanted: Fields, _ told: Fields) -> String {
        missing(wanted, in: told).map { "\($0.name) is \(shown(told[$0.name] ?? .null)) instead of \(shown($0.value))" }
            .joined(separator: ", ")
    }

    /// What stood in the members that a delivery writes.
    func before(_ delivery: Delivery, _ held: Held) -> Fields {
        Fields(delivery.fields.filter { !$0.name.hasPrefix(Self.unknown) }.map { ($0.name, held.document.fields[$0.name] ?? .null) })
    }

    /// How members begin that no application has.
    static let unknown = "no_such_member_"

    /// The document's present state; nil where it is gone.
    func read(_ key: NativeKey) async throws -> NativeDocument? {
        guard let driver = driver as? any Reading else { throw Verdict.absent("the driver cannot read documents") }
        let request = ReadRequest(native: sample.native, company: sample.company, key: key)
        let found = try await asked("a read") { try await driver.read([request]) }
        guard found.count == 1 else { throw Verdict.failed("a read of one document gave \(found.count) answers") }
        return found[0]
    }

    /// The document's present state; fails where it is gone.
    func existing(_ key: NativeKey) async throws -> NativeDocument {
        guard let document = try await read(key), !document.isDeleted else {
            throw Verdict.failed("\(sample.native) \(key) is not read although it was written")
        }
        return document
    }

    /// Living documents that carry a reference; nil where the driver cannot look up.
    func living(_ reference: CanonicalID) async throws -> [NativeDocument]? {
        guard let driver = driver as? any LookingUp else { return nil }
        let question = LookUp(native: sample.native, company: sample.company, reference: reference)
        let found = try await asked("a look-up") { try await driver.lookUp([question]) }
        guard found.count == 1 else { throw Verdict.failed("a look-up of one reference gave \(found.count) answers") }
        return found[0].filter { !$0.isDeleted }
    }
}

/// Texts and numbers that are given once.
final class Marks: Sendable {
    /// Of this run: base 36, begins with a letter.
    private let run: String
    private let runNumber: Int
    private let count = Mutex(0)

    init() {
        runNumber = Int.random(in: 100_000_000..<1_000_000_000)
        run = "k" + String(Int.random(in: 1_679_616..<60_466_176), radix: 36)
    }

    func number() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }

    /// `kf3a9x01c`
    func next() -> String {
        let digits = String(number(), radix: 36)
        return run + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }

    /// A reference as the hub gives them: `customer-814231077-42`.
    func reference(_ entity: EntityName) -> CanonicalID { CanonicalID("\(entity)-\(runNumber)-\(number())") }
}

/// A value for a report, cut where it is long, control characters spelt out.
func shown(_ value: Value) -> String {
    let text = JSONText.text(value)
    return text.utf8.count <= 60 ? text : String(text.prefix(50)) + "… (\(text.utf8.count) bytes)"
}
