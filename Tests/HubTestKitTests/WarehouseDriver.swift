import Foundation
import HubDriver
import HubModel
import Synchronization

/// What a manifest says and a driver does, so far as tests vary it.
struct Profile: Sendable {
    var hasToken = true
    var createIsRepeatable = false
    /// Writes are read back in a request of their own.
    var readsBack = true
    var callsPerMinute: Int?
}

/// A driver that keeps the contract, but for its defect.
struct WarehouseDriver: Driver, LookingUp, Reading, Paging, Capturing {
    let warehouse: Warehouse
    let wire: any Line
    let profile: Profile
    let defect: Defect?
    let turns = Turns()
    let isClosed = Flag()
    let asked = Asked()

    var manifest: Manifest {
        Manifest(
            driver: "warehouse", version: "1", summary: "A warehouse in memory",
            entities: [
                EntityManifest(
                    native: "item", entity: "product", createIsRepeatable: profile.createIsRepeatable, hasToken: profile.hasToken,
                    hasStamp: true, tellsReference: true,
                    delete: defect == .saysItArchives ? .archives : .removes,
                    transitions: defect == .contradictoryManifest ? ["new": ["old"]] : ["new": ["old"], "old": []],
                    rules: ["missing-name", "duplicate-code", "negative-price", "in-use", "territory"])
            ], settleTime: .milliseconds(500), answerTime: .milliseconds(400),
            limits: Manifest.Limits(batch: 5, concurrentCalls: 4, callsPerMinute: profile.callsPerMinute), window: "What tests leave open.",
            functions: defect == .withoutLookUp ? [] : [.price.without("company", "customer", "unit", "currency", "date")])
    }

    // MARK: Writing

    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        if defect == .oneAtATime { await turns.begin() }
        var answers: [Answer] = []
        for delivery in batch {
            do {
                answers.append(try await answer(delivery))
            } catch {
                if error.code == .unreachable, answers.isEmpty || defect == .unreachableAfterOthers {
                    if defect == .oneAtATime { turns.end() }
                    throw error
                }
                answers.append(.noAnswer(reason: error.message))
            }
        }
        if defect == .oneAtATime { turns.end() }
        if defect == .mixesAnswers { answers.reverse() }
        return answers
    }

    private func answer(_ delivery: Delivery) async throws(DriverError) -> Answer {
        do {
            return try await write(delivery)
        } catch Warehouse.Refusal.rule(let rule, let field, let text) {
            if defect == .refusalIsRetry { return .retry(after: .zero, reason: text) }
            if defect == .leavesRefusedCreate, delivery.operation == .create {
                _ = try? warehouse.create(["name": "left"], delivery.reference)
            }
            return .rejected(Rejection(rule: defect == .wrongRule ? "refused" : rule, field: field, text: text))
        } catch Warehouse.Refusal.changed {
            return .changed
        } catch Warehouse.Refusal.gone {
            return .gone
        } catch Warehouse.Refusal.busy {
            return defect == .busyIsFinal
                ? .rejected(Rejection(rule: "busy", text: "busy")) : .retry(after: .milliseconds(20), reason: "somebody has the item open")
        } catch LineFailure.refused {
            switch defect {
            case .outageIsRejection: return .rejected(Rejection(rule: "unreachable", text: "no connection"))
            case .outageIsNoAnswer: throw DriverError(.noAnswer, "no connection")
            case .outageTakesLong:
                try? await Task.sleep(for: .seconds(3))
                throw DriverError(.unreachable, "no connection")
            default: throw DriverError(.unreachable, "no connection")
            }
        } catch {
            if defect == .doesNotRecover { isClosed.set() }
            return defect == .lostAnswerIsRetry
                ? .retry(after: .zero, reason: "the connection went") : .noAnswer(reason: "the connection went")
        }
    }

    private func write(_ delivery: Delivery) async throws -> Answer {
        let before = delivery.key.flatMap { Int($0.rawValue) }
        let key: Int
        var isNew = true
        let fields = clean(delivery.fields)
        if delivery.operation == .create {
            if profile.createIsRepeatable, defect != .createsTwice,
                let known = try await request({ [warehouse] in warehouse.keys(delivery.reference).first })
            {
                key = known
                isNew = false
            } else {
                key = try await create(fields, delivery.reference)
            }
        } else {
            guard let before else { throw Warehouse.Refusal.gone }
            key = before
            isNew = try await change(delivery, key, fields)
        }
        let told: NativeDocument
        if profile.readsBack {
            guard let document = try await afterEffect({ [self] in document(key) }) else { throw Warehouse.Refusal.gone }
            told = document
        } else {
            guard let document = document(key) else { throw Warehouse.Refusal.gone }
            told = document
        }
        guard defect == .hidesEdits else { return isNew ? .written(told) : .unchanged(told) }
        var hidden = told
        hidden.fields = (delivery.expected?.fields ?? Fields()).overlaid(with: fields)
        return .written(hidden)
    }

    /// In two steps, as applications do that make a draft first.
    private func create(_ fields: Fields, _ reference: CanonicalID) async throws -> Int {
        let key = try await repeated { [warehouse] in try warehouse.create(fields.filter { $0.name != "city" }, reference) }
        guard let city = fields["city"] else { return key }
        do {
            try await afterEffect { [warehouse] in try warehouse.update(key, ["city": city], version: nil) }
        } catch let failure as LineFailure {
            if defect != .swallowsErrors { throw failure }
        }
        return key
    }

    private func repeated<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        guard defect == .repeatsAfterTimeOut else { return try await request(work) }
        let call = Task { try await request(work) }
        let alarm = Task {
            if (try? await Task.sleep(for: .milliseconds(60))) != nil { call.cancel() }
        }
        defer { alarm.cancel() }
        do { return try await call.value } catch is LineFailure { return try await request(work) }
    }

    private func change(_ delivery: Delivery, _ key: Int, _ fields: Fields) async throws -> Bool {
        let isGuarded = profile.hasToken && defect != .ignoresTokens && defect != .tokenNeverMoves && defect != .writesWholeDocuments
        let version = isGuarded ? delivery.expected?.token.flatMap { Int($0.rawValue) } ?? -1 : nil
        if delivery.operation == .delete {
            if defect == .answersWithoutDeleting { return true }
            try await request { [warehouse] in try warehouse.delete(key, version: version) }
            return true
        }
        if defect == .answersBeforeItStands {
            Task.detached { [warehouse] in
                try? await Task.sleep(for: .milliseconds(Int.random(in: 1...40)))
                try? warehouse.update(key, fields, version: nil)
            }
            return true
        }
        if defect == .fansOut {
            async let a: Int = request { 1 }
            async let b: Int = request { 2 }
            _ = try await (a, b)
        }
        if defect == .chatty { for _ in 0..<3 { _ = try await request { 1 } } }
        let old = warehouse.item(key)
        var changes = fields
        if defect == .writesWholeDocuments {
            changes = try await request { [warehouse] in warehouse.item(key)?.fields ?? Fields() }.overlaid(with: fields)
        }
        let all = changes
        try await request { [warehouse] in try warehouse.update(key, all, version: version) }
        return old?.version != warehouse.item(key)?.version
    }

    private func request<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        if isClosed.isSet {
            if defect == .callsHangAfterClose || defect == .doesNotRecover { await Self.hang() }
            throw LineFailure.reset
        }
        if defect == .ignoresCancellation { return try await Task.detached { try await wire.request(work) }.value }
        let result = try await wire.request(work)
        if defect == .callsHangAfterClose, isClosed.isSet { await Self.hang() }
        return result
    }

    /// A request behind one that has had an effect: where this one does not get through, the call was not without effect.
    private func afterEffect<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        do {
            return try await request(work)
        } catch LineFailure.refused where defect != .unreachableMidway {
            throw LineFailure.reset
        }
    }

    private static func hang() async {
        await Task.detached { try? await Task.sleep(for: .seconds(12)) }.value
    }

    func close() async {
        isClosed.set()
        if defect == .closeHangs { await Self.hang() }
    }
}

/// A lock that is held over a call.
final class Turns: Sendable {
    private let isTaken = Mutex(false)

    func begin() async {
        while !isTaken.withLock({ taken in
            defer { taken = true }
            return !taken
        }) { try? await Task.sleep(for: .milliseconds(1)) }
    }

    func end() { isTaken.withLock { $0 = false } }
}

final class Flag: Sendable {
    private let value = Mutex(false)

    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}

/// Positions after which there was something.
final class Asked: Sendable {
    private let places = Mutex<Set<Int>>([])

    /// True the first time.
    func isFirst(_ place: Int) -> Bool { places.withLock { $0.insert(place).inserted } }
}

/// The same driver without anything but `apply`.
struct BlindDriver: Driver {
    let base: WarehouseDriver

    var manifest: Manifest { base.manifest }
    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] { try await base.apply(batch) }
    func probe() async throws(DriverError) -> ApplicationIdentity { try await base.probe() }
    func close() async { await base.close() }
}
