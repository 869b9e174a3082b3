import HubDriver
import HubModel
import ReferenceApplication
import ReferenceCRM
import ReferenceERP
import Testing

struct ReferenceDriverTests {
    @Test func erpWritesAreConditional() async throws {
        let bench = try await ERPBench()
        let heard = try bench.document("partner", bench.partner)
        let update = delivery(.update, "partner", ["city": "Lyon", "credit_limit": .null], key: bench.partner, token: heard.token)
        let written = try await bench.driver.apply(update)
        guard case .written(let document) = written else {
            Issue.record("\(written)")
            return
        }
        #expect(document.fields["city"] == "Lyon" && document.fields["credit_limit"] == .null && document.fields["name"] == "Acme")
        #expect(document.token == "2" && document.stamp == SourcePosition(minor: 4))
        let events = try bench.erp.file.eventCount()
        #expect(try await bench.driver.apply(update) == .changed)
        let same = delivery(.update, "partner", ["city": "Lyon"], key: bench.partner, token: document.token)
        #expect(try await bench.driver.apply(same) == .unchanged(document))
        #expect(try await bench.driver.apply(delivery(.update, "partner", ["city": "X"], key: bench.partner)).rule == "missing-token")
        #expect(try bench.erp.file.eventCount() == events)
        let delete = delivery(.delete, "partner", key: bench.partner, token: document.token)
        #expect(try await bench.driver.apply(delete).document?.isDeleted == true)
        #expect(try await bench.driver.apply(delete) == .gone)
        #expect(try await bench.driver.apply(same) == .gone)
    }

    @Test func erpCreatesAreNotRepeatableAndFound() async throws {
        let bench = try await ERPBench()
        let create = delivery(.create, "sales_order", bench.order(), reference: "order-1")
        let answers = try await bench.driver.apply([create, delivery(.create, "sales_order", [:], reference: "order-2"), create])
        #expect(answers[1].rule == "missing-field")
        let keys = [answers[0], answers[2]].compactMap { $0.document?.key }
        #expect(Set(keys).count == 2)
        let looks = ["order-1", "order-9"].map { LookUp(native: "sales_order", company: nil, reference: CanonicalID($0)) }
        let found = try await bench.driver.lookUp(looks)
        #expect(found.map { $0.map(\.key) } == [keys, []])
        #expect(found[0].allSatisfy { $0.reference == "order-1" })
        try await bench.erp.delete("sales_order", keys[0])
        #expect(try await bench.driver.lookUp(looks)[0].map(\.isDeleted) == [true, false])
        let read = try await bench.driver.read(keys.map { ReadRequest(native: "sales_order", company: nil, key: $0) })
        #expect(read.map { $0?.key } == [nil, keys[1]])
        let invoice = try await bench.driver.apply(delivery(.create, "invoice", ["number": "1"]))
        #expect(invoice.rule == "posted-invoice")
    }

    @Test func crmCreatesAreRepeatableAndLastWriterWins() async throws {
        let bench = try await CRMBench()
        let create = delivery(.create, "account", ["name": "Beta", "on_hold": true], reference: "customer-7")
        let first = try #require(try await bench.driver.apply(create).document)
        try await bench.crm.editAccount(first.key, ["name": "Beta two", "phone": "1"])
        let events = try bench.crm.file.eventCount()
        let again = try await bench.driver.apply(create)
        #expect(again == .unchanged(try bench.document("account", first.key)) && again.document?.fields["name"] == "Beta two")
        #expect(try bench.crm.file.eventCount() == events)
        let update = delivery(.update, "account", ["name": "Beta"], key: first.key)
        let written = try #require(try await bench.driver.apply(update).document)
        #expect(written.fields["name"] == "Beta" && written.fields["phone"] == "1" && written.token == nil)
        #expect(written.stamp == SourcePosition(minor: Int64(events + 1)))
        #expect(try await bench.driver.apply(update) == .unchanged(written))
        try await bench.crm.deleteAccount(first.key)
        #expect(try await bench.driver.apply(create) == .gone)
        #expect(try await bench.driver.apply(update) == .gone)
    }

    @Test func pagesThroughWhatChangesMeanwhile() async throws {
        let bench = try await CRMBench()
        var keys = [bench.account]
        for index in 0..<6 { keys.append(try await bench.crm.createAccount(["name": .string("A\(index)")])) }
        let first = try await bench.driver.page(native: "account", company: nil, after: nil, limit: 3)
        try await bench.crm.deleteAccount(keys[1])
        try await bench.crm.editAccount(keys[0], ["phone": "1"])
        var seen = first.documents.map(\.key)
        var cursor = first.next
        while let next = cursor {
            let page = try await bench.driver.page(native: "account", company: nil, after: next, limit: 3)
            seen += page.documents.map(\.key)
            cursor = page.next
        }
        #expect(seen == keys)
    }

    @Test func eventsTellWhatTheManifestSays() async throws {
        let erp = try await ERPBench()
        _ = try await erp.driver.apply(delivery(.create, "partner", ["name": "B"], reference: "customer-1"))
        try await erp.erp.deletePartner(erp.partner)
        let told = try await erp.driver.changes()
        #expect(told[3].event.reference == "customer-1" && told[3].event.token == "1" && told[3].event.type == "partner")
        #expect(told[3].fields?["name"] == "B" && told[3].fields?.count == 12)
        #expect(told[4].event.operation == .delete && told[4].fields == nil && told[4].event.token == "2")
        #expect(told[4].event.time == erp.time.now)
        let crm = try await CRMBench()
        _ = try await crm.driver.apply(delivery(.create, "account", ["name": "B"], reference: "customer-1"))
        let last = try #require(try await crm.driver.changes().last)
        #expect(last.event.reference == nil && last.event.token == nil && last.event.position == SourcePosition(minor: 3))
        #expect(try await crm.driver.capture(after: "3", limit: 5).position == "3")
        await #expect(throws: DriverError.self) { try await crm.driver.capture(after: "x", limit: 5) }
    }

    @Test func factoriesCheckTheirSettings() async throws {
        #expect(throws: DriverError.self) { try ReferenceERPFactory.make(DriverSettings(application: "erp", values: [:])) }
        #expect(throws: DriverError.self) {
            try ReferenceERPFactory.make(DriverSettings(application: "erp", values: ["file": "/nowhere/at/all.db"]))
        }
        let file = TemporaryFile()
        let values = ["file": file.path, "settleMilliseconds": "250"]
        let driver = try ReferenceCRMFactory.make(DriverSettings(application: "crm", values: values))
        #expect(driver.manifest.settleTime == .milliseconds(250) && driver.manifest.answerTime == .seconds(2))
        let again = try ReferenceCRMFactory.make(DriverSettings(application: "crm", values: values))
        #expect(try await driver.probe().instance == again.probe().instance)
        #expect(throws: DriverError.self) {
            try ReferenceCRMFactory.make(DriverSettings(application: "crm", values: ["file": file.path, "answerMilliseconds": "soon"]))
        }
        for mappings in [ReferenceERPFactory.mappings, ReferenceCRMFactory.mappings] {
            #expect(mappings.count == 4 && mappings.allSatisfy { $0.text.hasPrefix("entity: ") })
        }
        await driver.close()
    }
}
