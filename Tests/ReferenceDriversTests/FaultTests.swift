import HubDriver
import HubModel
import ReferenceApplication
import ReferenceCRM
import ReferenceERP
import Testing

struct FaultTests {
    @Test func failureBeforeTheWork() async throws {
        let bench = try await CRMBench()
        try await bench.crm.file.setFaults(FaultPlan(failure: 1))
        let events = try bench.crm.file.eventCount()
        #expect(try await bench.driver.apply(delivery(.create, "account", ["name": "B"])).isRetry)
        #expect(try bench.crm.file.eventCount() == events)
        try await bench.crm.file.setFaults(nil)
        #expect(try await bench.driver.apply(delivery(.create, "account", ["name": "B"])).document != nil)
    }

    @Test func lostAnswer() async throws {
        let bench = try await CRMBench()
        try await bench.crm.file.setFaults(FaultPlan(lostAnswer: 1))
        let events = try bench.crm.file.eventCount()
        #expect(try await bench.driver.apply(delivery(.create, "account", ["name": "B"])).isNoAnswer)
        #expect(try await bench.driver.apply(delivery(.create, "account", ["name": .null], reference: "x-2")).isNoAnswer)
        #expect(try bench.crm.file.eventCount() == events + 1)
        await #expect { try await bench.driver.capture(after: nil, limit: 1) } throws: { ($0 as? DriverError)?.code == .noAnswer }
    }

    @Test func outageAndUnreachableCalls() async throws {
        let bench = try await ERPBench()
        let second = try ERPApplication(path: bench.temporary.path)
        try await second.file.setOutage(true)
        await #expect { try await bench.driver.apply([]) } throws: { ($0 as? DriverError)?.code == .unreachable }
        await #expect { try await bench.driver.probe() } throws: { ($0 as? DriverError)?.code == .unreachable }
        try await second.file.setOutage(false)
        _ = try await bench.driver.probe()
        try await second.file.setFaults(FaultPlan(unreachable: 1))
        await #expect { try await bench.driver.capture(after: nil, limit: 1) } throws: { ($0 as? DriverError)?.code == .unreachable }
        // People sit in front of the application, not behind the line.
        try await bench.erp.setHold(bench.partner, true)
    }

    @Test func lateCallsObeyTheRules() async throws {
        let bench = try await ERPBench()
        let token = try bench.document("partner", bench.partner).token
        try await bench.erp.file.setFaults(FaultPlan(late: 1))
        let batch = [
            delivery(.update, "partner", ["city": "Lyon"], key: bench.partner, token: token),
            delivery(.create, "partner", ["name": "Late"], reference: "customer-2"),
        ]
        #expect(try await bench.driver.apply(batch).allSatisfy(\.isNoAnswer))
        #expect(try bench.erp.file.eventCount() == 3)
        try await bench.erp.editPartner(bench.partner, ["city": "Paris"])  // makes the update's token old
        bench.time.advance(bench.driver.manifest.settleTime)
        let second = try ERPApplication(path: bench.temporary.path)
        let counts = try await (bench.erp.file.completeLateCalls(), second.file.completeLateCalls(now: bench.time.now))
        #expect(counts == (2, 0))
        #expect(try bench.document("partner", bench.partner).fields["city"] == "Paris")
        let found = try await bench.driver.lookUp([LookUp(native: "partner", company: nil, reference: "customer-2")])
        #expect(found[0].map { $0.fields["name"] } == ["Late"])
    }

    @Test func nothingTakesEffectAfterTheSettleTime() async throws {
        let bench = try await CRMBench()
        try await bench.crm.file.setFaults(FaultPlan(late: 1))
        _ = try await bench.driver.apply(delivery(.create, "account", ["name": "Late"]))
        bench.time.advance(bench.driver.manifest.settleTime + .milliseconds(1))
        #expect(try await bench.crm.file.completeLateCalls() == 0)
        #expect(try bench.crm.file.documents(native: "account").count == 1)
    }

    @Test func theSameSeedGivesTheSameFaults() async throws {
        func run(_ seed: UInt64) async throws -> [String] {
            let bench = try await CRMBench()
            try await bench.crm.file.setFaults(FaultPlan(seed: seed, failure: 0.2, lostAnswer: 0.2, late: 0.2))
            var result: [String] = []
            for index in 0..<40 {
                switch try await bench.driver.apply(delivery(.create, "account", ["name": "A"], reference: CanonicalID("c-\(index)"))) {
                case .written: result.append("written")
                case .retry: result.append("retry")
                case .noAnswer(let reason): result.append(reason)
                case let other: result.append("\(other)")
                }
            }
            return result
        }
        let first = try await run(7)
        #expect(try await run(7) == first)
        #expect(try await run(8) != first)
        #expect(Set(first).count == 4)
    }

    @Test func plantedFaults() async throws {
        let bench = try await ERPBench()
        let order = try #require(
            try await bench.driver.apply(delivery(.create, "sales_order", bench.order(), reference: "order-1")).document)
        let copy = try await bench.erp.file.double("sales_order", order.key)
        #expect(copy != order.key)
        #expect(try await bench.driver.lookUp([LookUp(native: "sales_order", company: nil, reference: "order-1")])[0].count == 2)

        try await bench.erp.editPartner(bench.partner, ["city": "Lyon"])
        try await bench.erp.file.revertEdit("partner", bench.partner)
        #expect(try bench.document("partner", bench.partner).fields["city"] == .null)

        let before = try bench.erp.file.eventCount()
        try await bench.erp.editPartner(bench.partner, ["city": "Paris"])
        try await bench.erp.file.loseEvent(of: bench.partner)
        #expect(try bench.erp.file.eventCount() == before)
        try await bench.erp.editPartner(bench.partner, ["phone": "1"])
        let positions = try await bench.driver.changes().compactMap { $0.event.position?.minor }
        #expect(positions == positions.sorted() && positions.last == Int64(before + 2))
    }

    @Test func aCalledOffCallDoesNothing() async throws {
        let bench = try await CRMBench()
        let driver = bench.driver
        let events = try bench.crm.file.eventCount()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await driver.apply([delivery(.create, "account", ["name": "B"])])
        }
        _ = try? await task.value
        #expect(try bench.crm.file.eventCount() == events)
    }
}
