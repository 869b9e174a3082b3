import Foundation
import Testing

@Suite("multipoint bus, publish and lag")
struct BusTests {
    /// A bus for the length of a test.
    final class Bus {
        let process: Process
        let input = Pipe()
        let output = Pipe()

        init(_ program: Program, topics: String = "crm.account:2,one:1") throws {
            try? FileManager.default.removeItem(atPath: program.folder + "/bus.address")
            process = program.process(["bus", "--port-file", "bus.address", "--topics", topics])
            process.standardInput = input
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
            #expect(line().hasPrefix("127.0.0.1:"))
        }

        func line() -> String {
            var bytes = Data()
            while let byte = try? output.fileHandleForReading.read(upToCount: 1), let first = byte.first, first != 0x0A {
                bytes.append(first)
            }
            return String(decoding: bytes, as: UTF8.self)
        }

        func order(_ text: String) throws -> String {
            try input.fileHandleForWriting.write(contentsOf: Data((text + "\n").utf8))
            return line()
        }

        func end() -> Int32 {
            process.terminate()
            process.waitUntilExit()
            return process.terminationStatus
        }

        deinit { process.terminate() }
    }

    @Test("records go in, count as lag, and faults are injected by lines")
    func publish() throws {
        let program = try Program(files: Program.files)
        let bus = try Bus(program)
        #expect(program.text("bus.address").hasPrefix("127.0.0.1:"))
        let lines = (1...1200).map { "{\"id\":\($0),\"name\":\"n\"}" }.joined(separator: "\n")
        let first = try program.run("publish", "crm.account", "-", "--key-field", "id", "--header", "a=b=c", input: lines)
        #expect(first.code == 0, "\(first.errors)")
        #expect(first.output == "1200 records published to crm.account\n")
        let lag = try program.run("lag", "--group", "acme.mediation", "--json")
        #expect(lag.code == 0, "\(lag.errors)")
        #expect(lag.output.contains("{\"gone\":0,\"group\":\"acme.mediation\",\"lag\":1200,\"topic\":\"crm.account\"}"), "\(lag.output)")
        #expect(try program.run("lag", "--group", "nobody").code == 2)

        let second = try program.run(
            "publish", "one", "-",
            input: "{\"key\":\"a\",\"value\":{\"b\":1.10}}\n\n{\"key\":\"a\",\"value\":null}\n{\"k\":1}\n{\"key\":\"c\",\"value\":1}\n")
        #expect(second.code == 2)
        #expect(second.errors.contains("line 4: no \"value\""), "\(second.errors)")
        #expect(second.errors.contains("(2 published before it)"))
        #expect(try bus.order("watermarks one") == "one 0 0 2")
        #expect(bus.line() == "ok")

        #expect(try bus.order("errors produce not-leader 1") == "ok")
        #expect(try program.run("publish", "one", "-", input: "{\"key\":\"d\",\"value\":1}").code == 0, "one failure is tried again")
        #expect(try bus.order("dance").hasPrefix("error: "))
        #expect(try bus.order("down") == "ok")
        let down = try program.run("publish", "one", "-", "--timeout", "1", input: "{\"key\":\"e\",\"value\":1}")
        #expect(down.code == 3, "\(down.errors)")
        #expect(try program.run("lag", "--timeout", "1").code == 3)
        #expect(try bus.order("up") == "ok")
        #expect(bus.end() == 0)
        #expect(program.text("bus.address") == "")
    }
}
