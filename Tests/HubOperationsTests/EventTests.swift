import HubBus
import HubConfiguration
import HubDriver
import HubModel
import HubOperations
import HubStore
import NIOHTTP1
import ReferenceCRM
import ReferenceERP
import Testing

@Suite(.serialized) struct EventTests {
    private static func event(_ id: String, key: String = "17", name: String = "Acme") -> String {
        """
        {"specversion":"1.0","id":"\(id)","source":"/shop","type":"account.updated","subject":"\(key)",
         "time":"2026-11-01T00:00:00Z","data":{"name":"\(name)","credit_limit":10.10}}
        """
    }

    private static let structured = ["Content-Type": "application/cloudevents+json"]
    private static let batch = ["Content-Type": "application/cloudevents-batch+json"]

    @Test func eventsOfEveryModeEndInGoldenRecordsAsPublishedOnesDo() async throws {
        let office = try Office()
        try office.start(captures: false)
        #expect(try await office.post(Self.event("1", key: "1"), Self.structured).status == 202)
        let binary = try await office.post(
            "{\"name\":\"Acme\",\"credit_limit\":10.10}",
            [
                "Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "2", "ce-source": "/shop",
                "ce-type": "account.updated", "ce-subject": "2", "ce-time": "2026-11-01T00:00:00Z",
            ])
        #expect(binary.status == 202 && binary["accepted"] == 1, "\(binary.body)")
        let several = try await office.post("[\(Self.event("3", key: "3")),\(Self.event("4", key: "4"))]", Self.batch)
        #expect(several.status == 202 && several["accepted"] == 2, "\(several.body)")
        let producer = try BusProducer(office.bus.configuration)
        defer { producer.close() }
        let record = Record(
            topic: "crm.account", partition: -1, key: Array("5".utf8), value: Array(Self.event("5", key: "5").utf8),
            headers: [.init("content-type", "application/cloudevents+json")])
        try producer.produce([record], deadline: .now + .seconds(20))
        try await office.eventually("five customers") { try await office.golden("customer").count == 5 }
        let all = try await office.golden("customer")
        #expect(Set(all.map(\.fields)).count == 1, "\(all.map(\.fields))")
        #expect(all[0].fields["creditLimit"] == .number(Number(1010, scale: 2)))
    }

    @Test func repetitionsAreKnownAlsoAfterARestart() async throws {
        let office = try Office()
        try office.start(captures: false)
        let first = try await office.post(Self.event("a"), Self.structured)
        #expect(first["accepted"] == 1 && first["duplicates"] == 0)
        let again = try await office.post(Self.event("a"), Self.structured)
        #expect(again.status == 202 && again["accepted"] == 0 && again["duplicates"] == 1, "\(again.body)")
        let inside = try await office.post("[\(Self.event("b")),\(Self.event("b")),\(Self.event("a"))]", Self.batch)
        #expect(inside["accepted"] == 1 && inside["duplicates"] == 2, "\(inside.body)")
        office.stop()
        try office.start(captures: false)
        let later = try await office.post(Self.event("a"), Self.structured)
        #expect(later["accepted"] == 0 && later["duplicates"] == 1, "\(later.body)")
        // The same id of another source is another event.
        let other = try await office.post(Self.event("a").replacing("/shop", with: "/other"), Self.structured)
        #expect(other["accepted"] == 1)
    }

    @Test func badEventsAreRefusedByTheirMember() async throws {
        let office = try Office()
        try office.start(captures: false)
        func refused(_ body: String, _ headers: [String: String], _ status: Int, _ member: String?) async throws {
            let reply = try await office.post(body, headers)
            #expect(reply.status == status && reply["member"].text == member, "\(body): \(reply.body)")
            #expect(reply.headers.first(name: "Content-Type") == "application/problem+json")
        }
        try await refused(Self.event("1").replacing("\"id\"", with: "\"ident\""), Self.structured, 422, "id")
        try await refused(Self.event("1").replacing("\"1.0\"", with: "\"0.3\""), Self.structured, 422, "specversion")
        try await refused(Self.event("1").replacing("2026-11-01T", with: "yesterday"), Self.structured, 422, "time")
        try await refused(Self.event("1").replacing("account.updated", with: "account.burnt"), Self.structured, 422, "type")
        try await refused(Self.event("1").replacing("account.", with: "nothing."), Self.structured, 422, "type")
        try await refused(Self.event("1").replacing("\"subject\":\"17\",", with: ""), Self.structured, 422, "subject")
        try await refused("[\(Self.event("1")),\(Self.event(""))]", Self.batch, 422, "[1].id")
        try await refused("{", Self.structured, 400, nil)
        try await refused(Self.event("1"), ["Content-Type": "text/plain"], 415, nil)
        #expect(try await office.golden("customer").isEmpty, "nothing of a bad request is published")
        let good = try await office.post(Self.event("1"), Self.structured)
        #expect(good["accepted"] == 1, "what was refused is not known")
    }

    @Test func onlyItsOwnPublisherMayPost() async throws {
        let office = try Office()
        try office.start(captures: false)
        #expect(try await office.post(Self.event("1"), Self.structured, token: Office.asker).status == 403)
        #expect(try await office.post(Self.event("1"), Self.structured, token: Office.bell).status == 403)
        let other = try await office.send(
            .POST, "/v1/events/erp", token: Office.publisher, headers: Self.structured, body: Self.event("1"))
        #expect(other.status == 403)
    }

    @Test(arguments: [false, true])
    func bodiesAreBounded(_ isChunked: Bool) async throws {
        let office = try Office()
        try office.start(captures: false)
        let body = Self.event("1", name: String(repeating: "x", count: 20_000))
        let reply = try await office.send(
            .POST, "/v1/events/crm", token: Office.publisher, headers: Self.structured, body: body, isChunked: isChunked)
        #expect(reply.status == 413 && reply["detail"].text?.contains("20000 bytes") == true, "\(reply.body)")
    }

    // MARK: Too large for Kafka

    private static let mostBytes = 4000
    private static let large = event("large", key: "2", name: String(repeating: "x", count: 2 * mostBytes))

    @Test func onlyTheEventThatIsTooLargeItselfIsRefused() async throws {
        let office = try Office()
        try office.start(captures: false, bytes: Self.mostBytes)
        // A broker that takes less than its clients refuses whole batches of records.
        try office.bus.pushErrors(.produce, [.recordTooLarge])
        let small = [Self.event("1", key: "1"), Self.event("3", key: "3")]
        let reply = try await office.post("[\(small[0]),\(Self.large),\(small[1])]", Self.batch)
        #expect(reply.status == 413 && reply["member"] == "[1]", "\(reply.body)")
        try await office.eventually("both small ones") { try await office.golden("customer").count == 2 }
        let again = try await office.post("[\(small[0]),\(small[1])]", Self.batch)
        #expect(again["accepted"] == 0 && again["duplicates"] == 2, "\(again.body)")
    }

    @Test func requestsAtOnceDoNotSufferFromEachOther() async throws {
        let office = try Office()
        try office.start(captures: false, bytes: Self.mostBytes)
        try office.bus.pushErrors(.produce, [.recordTooLarge])
        let client = office.client
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let body = number == 0 ? Self.large : Self.event("\(number)", key: "9")
                    return try await client.send(
                        .POST, "/v1/events/crm", token: Office.publisher, headers: Self.structured, body: body
                    ).status
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted()
        }
        #expect(statuses == [202, 202, 202, 202, 202, 202, 202, 413])
    }

    @Test func theEventAtFaultIsNamedByItsPlaceInTheRequest() async throws {
        let office = try Office()
        try office.start(captures: false, bytes: Self.mostBytes)
        #expect(try await office.post(Self.event("1"), Self.structured).status == 202)
        let reply = try await office.post("[\(Self.event("1")),\(Self.large)]", Self.batch)
        #expect(reply.status == 413 && reply["member"] == "[1]", "\(reply.body)")
    }

    @Test func withoutKafkaNothingIsConfirmed() async throws {
        let office = try Office()
        var patience = HTTPListener.Patience()
        patience.kafka = .seconds(1)
        try office.start(captures: false, patience: patience)
        #expect(try await office.post(Self.event("1", name: "Before"), Self.structured).status == 202)
        try office.bus.setDown()
        let reply = try await office.post(Self.event("2", name: "After"), Self.structured)
        #expect(reply.status == 503 && reply.headers.first(name: "Retry-After") == "5", "\(reply.body)")
        try office.bus.setUp()
        try await office.eventually("Kafka takes it") {
            try await office.post(Self.event("2", name: "After"), Self.structured).status == 202
        }
        try await office.eventually("it is golden") {
            try await office.golden("customer").first?.fields["name"] == "After"
        }
    }
}
