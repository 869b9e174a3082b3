import FoundationEssentials
import HubDriver
import HubModel

/// Whether a driver has a capability, known only when its process has described itself.
protocol Presence: Sendable {}
enum Present: Presence {}
enum Absent: Presence {}

/// The driver whose work a process does.
///
/// The hub finds a driver's capabilities by the protocols of its type. Those of a process are known at run time, so that the type is made
/// up then: one parameter per capability, and a conformance wherever it is ``Present``.
struct ProcessDriver<LooksUp: Presence, Reads: Presence, Pages: Presence, Captures: Presence, Discovers: Presence>: Driver {
    let process: SupervisedProcess

    var manifest: Manifest { process.description.manifest }

    func apply(_ batch: [Delivery]) async throws(DriverError) -> [Answer] {
        // Both run on the same clock: after this the hub may look the documents up and send the writes again.
        let settled = Date().timeIntervalSince1970 * 1000 + Double(manifest.settleTime.milliseconds)
        let result = try await process.ask(
            .apply, ["deliveries": .array(batch.map(Questions.delivery)), "settleBy": .number(Number(Int64(settled)))])
        return try process.understood(.apply) { () throws(Shape.Mismatch) in
            try Shape(result, "result").member("answers").array(of: batch.count, "delivery")
        }.map { element in
            do throws(Shape.Mismatch) {
                return try Answers.answer(element)
            } catch {
                // Of this delivery nothing is known; the others have their answers.
                return .noAnswer(reason: "the driver's answer cannot be used: \(error.text)")
            }
        }
    }

    func probe() async throws(DriverError) -> ApplicationIdentity {
        let result = try await process.ask(.probe, [:])
        return try process.understood(.probe) { () throws(Shape.Mismatch) in try Answers.identity(Shape(result, "result")) }
    }

    func close() async { await process.loop.close() }
}

extension ProcessDriver: LookingUp where LooksUp == Present {
    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] {
        let result = try await process.ask(.lookUp, ["references": .array(references.map(Questions.lookUp))])
        return try process.understood(.lookUp) { () throws(Shape.Mismatch) in
            var found: [[NativeDocument]] = []
            for element in try Shape(result, "result").member("documents").array(of: references.count, "reference") {
                var documents: [NativeDocument] = []
                for document in try element.array() { documents.append(try Answers.document(document)) }
                found.append(documents)
            }
            return found
        }
    }
}

extension ProcessDriver: Reading where Reads == Present {
    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        let result = try await process.ask(.read, ["documents": .array(references.map(Questions.read))])
        return try process.understood(.read) { () throws(Shape.Mismatch) in
            var found: [NativeDocument?] = []
            for element in try Shape(result, "result").member("documents").array(of: references.count, "document") {
                found.append(element.value.isNull ? nil : try Answers.document(element))
            }
            return found
        }
    }
}

extension ProcessDriver: Paging where Pages == Present {
    func page(native: String, company: String?, after cursor: String?, limit: Int) async throws(DriverError) -> Page {
        var params: Fields = ["native": .string(native), "limit": .number(Number(Int64(limit)))]
        params["company"] = company.map { .string($0) }
        params["after"] = cursor.map { .string($0) }
        let result = try await process.ask(.page, params)
        return try process.understood(.page) { () throws(Shape.Mismatch) in try Answers.page(Shape(result, "result")) }
    }
}

extension ProcessDriver: Capturing where Captures == Present {
    func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        var params: Fields = ["limit": .number(Number(Int64(limit)))]
        params["after"] = position.map { .string($0) }
        let result = try await process.ask(.capture, params)
        return try process.understood(.capture) { () throws(Shape.Mismatch) in
            try Answers.captured(Shape(result, "result"), atMost: limit)
        }
    }
}

/// Whether a process answers is said by its manifest's functions, not by a capability.
extension ProcessDriver: Answering {
    func answer(_ question: Question) async throws(DriverError) -> FunctionReply {
        guard manifest.functions.contains(where: { $0.name == question.function }) else {
            return .cannotSay(reason: "\(manifest.driver) has no function \(question.function)")
        }
        let result = try await process.ask(.answer, Questions.question(question))
        return try process.understood(.answer) { () throws(Shape.Mismatch) in try Answers.reply(Shape(result, "result")) }
    }
}

extension ProcessDriver: Discovering where Discovers == Present {
    func discover() async throws(DriverError) -> Discovery {
        let result = try await process.ask(.discover, [:])
        return try process.understood(.discover) { () throws(Shape.Mismatch) in try Answers.discovery(Shape(result, "result")) }
    }
}

extension SupervisedProcess {
    /// A driver with the capabilities that the process has described.
    func driver() -> any Driver { has(.lookUp) ? reading(Present.self) : reading(Absent.self) }

    private func has(_ method: Method) -> Bool { description.capabilities.contains(method) }

    private func reading<L: Presence>(_: L.Type) -> any Driver {
        has(.read) ? paging(L.self, Present.self) : paging(L.self, Absent.self)
    }

    private func paging<L: Presence, R: Presence>(_: L.Type, _: R.Type) -> any Driver {
        has(.page) ? capturing(L.self, R.self, Present.self) : capturing(L.self, R.self, Absent.self)
    }

    private func capturing<L: Presence, R: Presence, P: Presence>(_: L.Type, _: R.Type, _: P.Type) -> any Driver {
        has(.capture) ? discovering(L.self, R.self, P.self, Present.self) : discovering(L.self, R.self, P.self, Absent.self)
    }

    private func discovering<L: Presence, R: Presence, P: Presence, C: Presence>(_: L.Type, _: R.Type, _: P.Type, _: C.Type) -> any Driver {
        if has(.discover) { return ProcessDriver<L, R, P, C, Present>(process: self) }
        return ProcessDriver<L, R, P, C, Absent>(process: self)
    }
}
