import Foundation
import HubBus
import HubModel
import Logging
import Testing

@testable import multipoint

@Suite("Parts of the command line")
struct PartsTests {
    @Test("tables are aligned, and a cell stays on its line")
    func table() {
        #expect(
            Table(["A", "B"], [["long one", "x"], ["é", "two\nlines"]]).lines == ["A         B", "long one  x", "é         two lines"])
        #expect(Table(["A"], []).lines == ["A"])
    }

    @Test(
        "control lines are read",
        arguments: [
            ("errors produce not-leader 3", ControlLine.errors(.produce, .notLeader, count: 3)),
            ("errors 1 6 2", .errors(.fetch, .other(6), count: 2)), ("clear fetch", .clear(.fetch)), ("down", .down(nil)),
            ("up 2", .up(2)), ("leader t 0 none", .leader(TopicPartition("t", 0), nil)), ("delay 50", .delay(50, broker: nil)),
            ("topic t 3", .topic("t", partitions: 3)), ("topic-error t none", .topicError("t", .none)),
            ("watermarks a b", .watermarks(["a", "b"])),
        ])
    func control(_ line: String, _ expected: ControlLine) throws {
        #expect(try ControlLine(line) == expected)
    }

    @Test(
        "other control lines are refused",
        arguments: ["", "errors produce", "errors produce maybe 1", "errors produce none 0", "up x", "watermarks"])
    func refused(_ line: String) {
        #expect(throws: ControlLine.Mistake.self) { try ControlLine(line) }
    }

    @Test("lines become records, bytes untouched")
    func records() throws {
        let plain = PublishLine(topic: "t", keyPath: ["meta", "id"], headers: [.init("a", "b")])
        let line = Array("{\"z\": 1.10, \"meta\": {\"id\": 17}}".utf8)
        let record = try plain.record(line[...])
        #expect(record.key == Array("17".utf8))
        #expect(record.value == line)
        #expect(record.headers == [.init("a", "b")])
        #expect(record.partition == -1)
        #expect(throws: PublishLine.Mistake.self) { try plain.record(Array("{\"id\":1}".utf8)[...]) }

        let wrapped = PublishLine(topic: "t", keyPath: nil, headers: [])
        let full = try wrapped.record(
            Array("{\"key\":{\"id\": 1},\"value\":{\"b\":1,\"a\": 2.0},\"headers\":{\"h\":\"x\",\"n\":null}}".utf8)[...])
        #expect(full.key == Array("{\"id\": 1}".utf8))
        #expect(full.value == Array("{\"b\":1,\"a\": 2.0}".utf8))
        #expect(full.headers == [.init("h", "x"), .init(name: "n", value: nil)])
        #expect(try wrapped.record(Array("{\"value\":null}".utf8)[...]).value == nil)
        for broken in ["", "{", "[1]", "{\"key\":1}", "{\"value\":1,\"vlaue\":2}", "{\"value\":1,\"headers\":[]}"] {
            #expect(throws: PublishLine.Mistake.self) { try wrapped.record(Array(broken.utf8)[...]) }
        }
    }

    @Test("CSV cells may be quoted")
    func csv() throws {
        #expect(try LinkFile.cells("a,\"b,\"\"c\",,d", separator: ",", 1) == ["a", "b,\"c", "", "d"])
        #expect(throws: CommandFailure.self) { try LinkFile.cells("a,\"b", separator: ",", 1) }
    }

    @Test("a log line is one line")
    func log() {
        let time = Date(timeIntervalSince1970: 0)
        #expect(
            StandardErrorLog.line("hub", .warning, "two\nlines", ["b": "2", "a": "1"], time: time, isJSON: false)
                == "1970-01-01T00:00:00.000Z warning hub: two lines a=1 b=2")
        #expect(
            StandardErrorLog.line("hub", .error, "x", ["k": "v"], time: time, isJSON: true)
                == #"{"k":"v","level":"error","logger":"hub","message":"x","time":"1970-01-01T00:00:00.000Z"}"#)
    }
}
