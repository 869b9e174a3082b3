import Foundation
import Testing

@Suite("multipoint check and usage")
struct CheckTests {
    @Test("says what a sound configuration holds")
    func sound() throws {
        let program = try Program(files: Program.files)
        let result = try program.run("check")
        #expect(result.code == 0)
        #expect(
            result.output.hasPrefix("hub.yaml has no mistakes: hub acme, 2 applications, 4 entities\n"), "\(result.output)\(result.errors)")
        #expect(result.errors == "")
        #expect(result.output.contains("\norder: erp decides invoiced, total, which its owner does not tell\n"), "\(result.output)")
        let json = try program.run("check", "--json")
        let left = #""leftByOwners":[{"application":"erp","entity":"order","fields":["invoiced","total"]}]"#
        #expect(json.code == 0 && json.output.contains(left), "\(json.output)")
    }

    @Test("names mistakes and ends with 2, librdkafka's properties among them")
    func mistakes() throws {
        let text = Program.configuration.replacing("owner: erp }", with: "onwer: erp }").replacing(
            "{ file: bus.address }", with: "\"a:1\", acks: 1, lingr.ms: 5")
        let program = try Program(files: Program.files.merging(["hub.yaml": text]) { $1 })
        let result = try program.run("check")
        #expect(result.code == 2)
        #expect(result.errors.contains("hub.yaml:2:34: bus.acks: the hub sets this property itself"), "\(result.errors)")
        #expect(result.errors.contains("hub.yaml:2:43: bus.lingr.ms: no such property"))
        #expect(result.errors.contains("entities.product.onwer: unknown key; did you mean \"owner\"?"))
        #expect(result.errors.hasSuffix("4 mistakes\n"))
        let json = try program.run("check", "--json")
        #expect(json.code == 2)
        #expect(json.output.hasPrefix("{\"mistakes\":[\"hub.yaml:2:"))
    }

    @Test("a driver's process that does not start refuses `check` and `run`, by the application's name and its last words")
    func process() throws {
        let text = Program.configuration.replacing(
            "entities:", with: "  shop: { driver: process, command: \"sh -c 'echo no such module >&2; exit 3'\" }\nentities:")
        let program = try Program(files: Program.files.merging(["hub.yaml": text]) { $1 })
        for command in ["check", "run"] {
            let result = try program.run(command)
            #expect(result.code == 2, "\(command): \(result.errors)")
            #expect(result.errors.contains("hub.yaml:9:") && result.errors.contains("applications.shop"), "\(result.errors)")
            #expect(result.errors.contains("ended with exit code 3; its last words: no such module"), "\(result.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: program.folder + "/hub.db"), "nothing has begun")
    }

    @Test("--live finds a bus that does not answer, and ends with 3")
    func live() throws {
        let program = try Program(files: Program.files)
        let result = try program.run("check", "--live", "--timeout", "1")
        #expect(result.code == 3)
        #expect(result.output.contains("NOT WELL"))
        #expect(result.output.split(separator: "\n").contains { $0.hasPrefix("application  erp") && $0.contains("ok") }, "\(result.output)")
    }

    @Test("wrong usage ends with 2, help and version with 0")
    func usage() throws {
        let program = try Program()
        #expect(try program.run("--version").code == 0)
        #expect(try program.run("--help").output.contains("SUBCOMMANDS"))
        #expect(try program.run("frobnicate").code == 2)
        #expect(try program.run("check", "--config").code == 2)
        #expect(try program.run("waiting", "approve", "nothing").code == 2)
        #expect(try program.run("check").code == 2, "there is no hub.yaml")
    }
}
