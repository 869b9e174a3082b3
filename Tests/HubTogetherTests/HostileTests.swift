import Foundation
import HubConfiguration
import HubModel
import HubRuntime
import HubStore
import ReferenceCRM
import Testing

@testable import StandIns
@testable import TestHub

/// Processes that misbehave as drivers of a running hub: nobody else notices.
@Suite("Hostile drivers in a running hub", .serialized, .enabled(if: Hostile.isPossible, "skipped: there is no python3"))
struct HostileTests {
    /// An application whose driver misbehaves in that way.
    private struct Rogue {
        var name: ApplicationID
        var mode: String
        /// For good, or in its first process only.
        var isForGood = true

        func install(in test: TestHub) throws {
            try test.write("rogues/\(name)/hostile.py", Hostile.script)
            try test.write(
                "mappings/\(name)/product.yaml",
                "entity: product\nnative: thing\nfields:\n  code: code\n  price: { path: price, as: decimal, scale: 2 }\n")
        }

        var configuration: String {
            "  \(name): { driver: process, folder: rogues/\(name), "
                + "command: \"python3 -u hostile.py \(mode) . \(isForGood ? "always" : "once")\" }"
        }
    }

    /// Their deliveries wait: what became of a call nobody can tell.
    private static let silent = [
        Rogue(name: "babbler", mode: "garbage"), Rogue(name: "impostor", mode: "foreign"), Rogue(name: "sleeper", mode: "hang"),
        Rogue(name: "dier", mode: "die"),
    ]
    private static let busy = Rogue(name: "busy", mode: "busy")
    /// What they are sent arrives all the same.
    private static let forgiven = [Rogue(name: "stutterer", mode: "twice"), Rogue(name: "stumbler", mode: "die", isForGood: false)]

    private static let count = 30

    /// Makes products in the CRM, and waits until all of them are everywhere.
    private func spread(_ series: String, _ together: Together) async throws -> Duration {
        let began = ContinuousClock.now
        for number in 1...Self.count {
            _ = try await together.crm.createItem([
                "code": .string("\(series)-\(number)"), "name": "Widget", "price": .number(Number(Int64(number))),
            ])
        }
        try await together.everywhere("\(Self.count) products of \(series)") { peer in
            try await peer.documents(.products).keys.count { $0.hasPrefix("\(series)-") } == Self.count
        }
        return ContinuousClock.now - began
    }

    private func begin(_ rogues: [Rogue]) async throws -> Together {
        let together = try await Together()
        for rogue in rogues { try rogue.install(in: together.test) }
        try together.configure(rogues.map(\.configuration).joined(separator: "\n"))
        try together.test.start()
        _ = try await together.crm.createItem(["code": "first", "name": "Widget", "price": 1])
        try await together.everywhere("a first product") { try await $0.product("first") != nil }
        return together
    }

    @Test("who speaks nonsense, answers twice or for others, hangs or dies delays nobody, and is told of", .timeLimit(.minutes(5)))
    func rogues() async throws {
        let calm = try await { () async throws -> Duration in
            let together = try await begin([])
            defer { together.test.stop() }
            return try await spread("calm", together)
        }()
        let together = try await begin(Self.silent + [Self.busy] + Self.forgiven)
        let test = together.test
        let among = try await spread("rogue", together)
        print("\(Self.count) products everywhere: \(calm) among themselves, \(among) with seven rogues beside them")
        // The machine has the rogues' processes to run as well; but nobody waits for one that hangs.
        #expect(among < calm * 3 + .seconds(5))

        let all = Self.count + 1
        for rogue in Self.silent {
            try await test.eventually("a word about \(rogue.name)") {
                test.logged.contains { $0.hasPrefix("warning: \(rogue.name) cannot be reached, its deliveries wait") }
            }
        }
        // Whoever asks for patience without end has it by the policy's number of attempts.
        try await test.eventually("dead letters of \(Self.busy.name)", within: .seconds(60)) {
            try await test.deadLetters().count { $0.application == Self.busy.name && $0.code == "attempts" } == all
        }
        for rogue in Self.forgiven {
            try await test.eventually("everything at \(rogue.name)", within: .seconds(90)) {
                try await test.outcomes(rogue.name, .written) == all
            }
        }
        for rogue in Self.silent {
            let (written, waiting) = (try await test.outcomes(rogue.name, .written), try await test.waiting(rogue.name))
            #expect(written == 0 && waiting > 0, "\(rogue.name): \(written) written, \(waiting) wait")
        }
        #expect(try await test.deadLetters().allSatisfy { $0.application == Self.busy.name })
        for peer in together.peers { #expect(try await test.outcomes(peer.name, .written) >= all) }
        #expect(test.hub?.failed == nil)
    }

    @Test("a process that cannot start refuses the start of the hub, and a reload that changes nothing", .timeLimit(.minutes(3)))
    func cannotStart() async throws {
        let broken = Rogue(name: "broken", mode: "exit")
        let sound = Rogue(name: "sound", mode: "ok")
        let together = try await begin([sound])
        let test = together.test
        try await test.eventually("the first product at the sound one") { try await test.outcomes("sound", .written) == 1 }
        let first = try pids(test.folder + "/rogues/sound")
        #expect(first.count == 1)

        func refusal() throws -> String {
            let reply = try #require(test.hub).reload()
            #expect(!reply.isDone)
            return reply.text
        }
        try broken.install(in: test)
        try together.configure([sound, broken].map(\.configuration).joined(separator: "\n"))
        let text = try refusal()
        #expect(text.contains("applications.broken") && text.contains("its last words: no such module: shop"), "\(text)")
        #expect(text.contains("hub.yaml:"), "\(text)")
        #expect(throws: ConfigurationMistakes.self) { try test.load() }
        // None of it has happened.
        #expect(test.hub?.configuration.applications.map(\.id).contains("broken") == false)

        // The program of one that runs is spoilt: it goes on until it ends, and then it alone is missing.
        try FileManager.default.removeItem(atPath: test.folder + "/mappings/broken")
        try together.configure(sound.configuration)
        try test.write("rogues/sound/hostile.py", "import sys\nsys.exit('half an upload')\n")
        #expect(try refusal().contains("half an upload"))
        _ = try await together.crm.createItem(["code": "second", "name": "Widget", "price": 2])
        try await together.everywhere("a second product") { try await $0.product("second") != nil }
        try await test.eventually("the second product at the sound one") { try await test.outcomes("sound", .written) == 2 }
        for pid in first { kill(pid, SIGKILL) }
        _ = try await together.crm.createItem(["code": "third", "name": "Widget", "price": 3])
        try await together.everywhere("a third product") { try await $0.product("third") != nil }
        try await test.eventually("the reason") { try await test.absence("sound")?.contains("half an upload") == true }

        // Mended, it goes on by itself.
        try test.write("rogues/sound/hostile.py", Hostile.script)
        try await test.eventually("the third product at the sound one", within: .seconds(60)) {
            try await test.outcomes("sound", .written) == 3
        }
        #expect(try await test.absence("sound") == nil)
        let reply = try #require(test.hub).reload()
        #expect(reply.isDone, "\(reply.text)")
    }

    /// The hostile script's processes so far, alive or not.
    private func pids(_ folder: String) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("pid-") }.compactMap { Int32($0.dropFirst(4)) }
    }
}
