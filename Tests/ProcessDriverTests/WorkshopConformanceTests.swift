import Foundation
import HubCodec
import HubDriver
import HubModel
import HubTestKit
import Testing

@testable import ProcessDriver
@testable import StandIns

extension Workshop {
    func driver(port: Int) throws -> any Driver {
        try ProcessFactory.make(
            DriverSettings(
                application: "workshop",
                values: [
                    "folder": Self.folder, "url": "http://127.0.0.1:\(port)", "token": Self.token, "answerMilliseconds": "800",
                    "settleMilliseconds": "1200",
                ]))
    }
}

/// The example driver as its author has it tried.
struct WorkshopBench: DriverBench {
    let workshop: Workshop
    let proxy: TCPProxy
    /// What people do goes past the proxy.
    let people: any Driver

    init() throws {
        workshop = try Workshop()
        proxy = try TCPProxy(to: "127.0.0.1", workshop.port)
        people = try workshop.driver(port: workshop.port)
    }

    var faults: any FaultInjector { proxy }

    func makeDriver() async throws -> any Driver { try workshop.driver(port: proxy.port) }

    var samples: [Sample] {
        get async throws {
            let client = try await document("client", ["name": "Standing client"])
            let part = try await document(
                "part", ["code": .string("standing-\(UUID().uuidString.prefix(8))"), "name": "Standing part", "price": 5])
            return [clients(), parts(), jobs(client: client.key, part: part.key)]
        }
    }

    var questions: [QuestionSample] {
        let price = QuestionSample("price", unknown: ["product": "999999"]) {
            let part = try await document(
                "part", ["code": .string("priced-\(UUID().uuidString.prefix(8))"), "name": "Priced part", "price": 5])
            return ["product": .string(part.key.rawValue), "quantity": 3]
        }
        return [price]
    }

    private func clients() -> Sample {
        Sample("client") {
            ["name": .string("Client \($0)"), "code": .string($0), "credit": .number(Number(1050, scale: 2))]
        } change: {
            ["city": .string("City \($0)")]
        }
        .with([.text("name"), .text("note"), .decimal("credit", scale: 2), .date("since")])
        .with([
            Breach("missing-field") { delivery, _ in delivery.fields["name"] = .null },
            Breach("invalid-field") { delivery, _ in delivery.fields["terms"] = "NEVER" },
            Breach("unknown-field", on: .update) { delivery, _ in delivery.fields["colour"] = "red" },
            Breach("duplicate-code") { delivery, mark in
                _ = try await document("client", ["name": "First", "code": .string(mark)])
                delivery.fields["code"] = .string(mark)
            },
            Breach("in-use", on: .delete) { delivery, mark in
                let part = try await document("part", ["code": .string(mark), "name": "Part"])
                _ = try await document("job", job(try #require(delivery.key), part.key))
            },
        ])
        .altered { $0.edit = { key, mark in try await edit("client", key, ["phone": .string(mark)]) } }
    }

    private func parts() -> Sample {
        Sample("part") {
            ["name": .string("Part \($0)"), "code": .string($0), "price": .number(Number(995, scale: 2))]
        } change: {
            ["unit": .string("unit \($0)")]
        }
        .with([.text("name"), .text("note"), .decimal("price", scale: 2)])
        .with([
            Breach("missing-field") { delivery, _ in delivery.fields["name"] = .null },
            Breach("invalid-field", on: .update) { delivery, _ in delivery.fields["price"] = -1 },
            Breach("unknown-field") { delivery, _ in delivery.fields["colour"] = "red" },
            Breach("duplicate-code") { delivery, mark in
                _ = try await document("part", ["name": "First", "code": .string(mark)])
                delivery.fields["code"] = .string(mark)
            },
        ])
        .altered { $0.edit = { key, mark in try await edit("part", key, ["currency": .string(String(mark.suffix(3)))]) } }
    }

    private func jobs(client: NativeKey, part: NativeKey) -> Sample {
        Sample("job") { _ in
            job(client, part)
        } change: {
            ["client_note": .string("note \($0)")]
        }
        .with([
            .text("client_note"), .date("ordered"),
            FieldProbe("lines.price", .decimal(scale: 4)) { value in
                ["lines": [["no": "1", "part": .string(part.rawValue), "quantity": 2, "price": value]]]
            } read: { fields in
                fields["lines"]?.array?.first?["price"]
            },
        ])
        .with([
            Breach("missing-field") { delivery, _ in delivery.fields["lines"] = [] },
            Breach("invalid-field") { delivery, _ in delivery.fields["ordered"] = "2026-02-30" },
            Breach("unknown-field") { delivery, _ in delivery.fields["colour"] = "red" },
            Breach("unknown-client") { delivery, _ in delivery.fields["client"] = "999999" },
            Breach("client-blocked") { delivery, mark in
                let blocked = try await document("client", ["name": .string(mark), "blocked": true])
                delivery.fields["client"] = .string(blocked.key.rawValue)
            },
            Breach("unknown-part") { delivery, _ in
                delivery.fields["lines"] = [["no": "1", "part": "999999", "quantity": 1]]
            },
            Breach("not-saleable") { delivery, mark in
                let part = try await document("part", ["name": "Old", "code": .string(mark), "saleable": false])
                delivery.fields["lines"] = [["no": "1", "part": .string(part.key.rawValue), "quantity": 1]]
            },
            Breach("illegal-transition", on: .update) { delivery, _ in delivery.fields["status"] = "done" },
            Breach("started", on: .delete) { delivery, _ in
                let key = try #require(delivery.key)
                _ = try await edit("job", key, ["status": "started"])
                delivery.expected?.token = try await present("job", key).token
            },
            Breach("read-only", on: .update) { delivery, _ in delivery.fields["total"] = 1 },
        ])
        .altered { sample in
            sample.edit = { key, mark in
                _ = mark
                return try await edit("job", key, ["ordered": "2026-03-01"])
            }
        }
    }

    private func job(_ client: NativeKey, _ part: NativeKey) -> Fields {
        [
            "client": .string(client.rawValue), "client_note": "please",
            "lines": [
                [
                    "no": "1", "part": .string(part.rawValue), "quantity": .number(Number(2000, scale: 3)),
                    "price": .number(Number(15500, scale: 4)),
                ]
            ],
        ]
    }

    // MARK: People

    private func document(_ native: String, _ fields: Fields) async throws -> NativeDocument {
        let reference = CanonicalID("people-\(UUID().uuidString)")
        return try await answered(
            Delivery(
                target: Target("workshop", .shared, reference), version: Version(generation: 1, number: 1), operation: .create,
                native: native,
                reference: reference, fields: fields))
    }

    private func edit(_ native: String, _ key: NativeKey, _ fields: Fields) async throws -> Fields {
        let present = try await present(native, key)
        let reference: CanonicalID = "people"
        _ = try await answered(
            Delivery(
                target: Target("workshop", .shared, reference), version: Version(generation: 1, number: 1), operation: .update,
                native: native,
                key: key, reference: reference, fields: fields, expected: .init(token: present.token, fields: Fields())))
        return fields
    }

    private func present(_ native: String, _ key: NativeKey) async throws -> NativeDocument {
        let reading = try #require(people as? any Reading)
        return try #require(try await reading.read([ReadRequest(native: native, company: nil, key: key)])[0])
    }

    private func answered(_ delivery: Delivery) async throws -> NativeDocument {
        switch try await people.apply([delivery])[0] {
        case .written(let document), .unchanged(let document): return document
        case let answer: throw DriverError(.protocolViolation, "people were answered \(answer)")
        }
    }
}

@Suite("The example in Python", .enabled(if: Hostile.isPossible, "skipped: there is no python3"))
struct WorkshopConformanceTests {
    @Test("keeps the whole contract of drivers", .timeLimit(.minutes(8)))
    func conformance() async throws {
        let bench = try WorkshopBench()
        let report = try await DriverConformance(bench).run()
        report.print()
        #expect(report.hasPassed)
        // A driver that loses a capability still passes; what it lacks is known.
        #expect(
            report.absent == [
                "conditional-write part",
                "retryable-and-final client for the moment",
                "retryable-and-final job for the moment",
                "retryable-and-final part for the moment",
            ])
        await bench.people.close()
    }

    @Test("speaks as the protocol's schemas say", arguments: Method.allCases)
    func schemas(method: Method) async throws {
        let workshop = try Workshop()
        let (calls, answers) = try conversation(workshop)
        let path = Workshop.folder + "/../../../schemas/protocol/\(method.rawValue).schema.json"
        let bytes = try #require(FileManager.default.contents(atPath: path))
        let schema = try SchemaValidator(schema: try JSONText.value(Array(bytes)))
        var count = 0
        for (call, answer) in zip(calls, answers) where call["method"]?.text == method.rawValue {
            #expect(schema.validate(call).isEmpty, "\(schema.validate(call))")
            #expect(schema.validate(answer).isEmpty, "\(JSONText.text(answer)): \(schema.validate(answer))")
            #expect(answer["result"] != nil, "\(JSONText.text(answer))")
            var spoilt = answer.object ?? Fields()
            spoilt["result"] = ["sometimes": true]
            #expect(!schema.validate(.object(spoilt)).isEmpty, "the schema refuses nothing")
            count += 1
        }
        #expect(count > 0)
    }

    /// Each call once, as the hub writes it, and what the process answers.
    private func conversation(_ workshop: Workshop) throws -> (calls: [Value], answers: [Value]) {
        let delivery = Delivery(
            target: Target("workshop", .shared, "customer-1-1"), version: Version(generation: 1, number: 1), operation: .create,
            native: "client", reference: "customer-1-1", fields: ["name": "Client", "credit": .number(Number(1010, scale: 2))])
        var update = delivery
        update.operation = .update
        update.key = "1"
        update.expected = .init(token: "1", fields: Fields())
        var bad = delivery
        bad.fields["colour"] = "red"
        bad.reference = "customer-1-2"
        let look = LookUp(native: "client", company: nil, reference: "customer-1-1")
        let read = ReadRequest(native: "client", company: nil, key: "1")
        let settings: Value = ["url": .string("http://127.0.0.1:\(workshop.port)"), "token": "s3cret"]
        let questions: [(Method, Fields)] = [
            (.describe, ["protocol": 1, "application": "workshop", "settings": settings, "companies": [:]]), (.probe, [:]),
            (.apply, ["deliveries": .array([delivery, update, bad].map(Questions.delivery)), "settleBy": 9_999_999_999_999]),
            (.lookUp, ["references": [Questions.lookUp(look)]]), (.read, ["documents": [Questions.read(read)]]),
            (.page, ["native": "client", "limit": 10]), (.capture, ["limit": 10]), (.discover, [:]),
            (.answer, Questions.question(Question(function: "price", company: nil, arguments: ["product": "999999", "quantity": 2]))),
        ]
        let child = Process()
        let (input, output) = (Pipe(), Pipe())
        child.executableURL = URL(fileURLWithPath: Workshop.folder + "/driver")
        child.currentDirectoryURL = URL(fileURLWithPath: Workshop.folder)
        child.standardInput = input
        child.standardOutput = output
        try child.run()
        var calls: [Value] = []
        var answers: [Value] = []
        for (index, (method, params)) in questions.enumerated() {
            let line = Questions.line(Int64(index + 1), method, params)
            calls.append(try JSONText.value(Array(line.dropLast())))
            input.fileHandleForWriting.write(Data(line))
            var answer = Data()
            while answer.last != 0x0A {
                let more = output.fileHandleForReading.availableData
                if more.isEmpty { break }
                answer += more
            }
            answers.append(try JSONText.value(Array(answer)))
        }
        input.fileHandleForWriting.closeFile()
        child.waitUntilExit()
        #expect(child.terminationStatus == 0)
        return (calls, answers)
    }
}
