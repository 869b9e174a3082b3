import Foundation
import Synchronization
import Testing

@testable import HubTestKit

/// The proxy between a small client and a small server on real sockets.
struct ProxyTests {
    let server: EchoServer
    let proxy: TCPProxy

    init() throws {
        server = try EchoServer()
        proxy = try TCPProxy(to: "127.0.0.1", server.port)
    }

    private func client() async throws -> EchoClient { try await EchoClient(port: proxy.port) }

    @Test func bytesPass() async throws {
        let client = try await client()
        #expect(await client.ask("hello") == "hello!")
        let long = String(repeating: "0123456789", count: 200_000)
        #expect(await client.ask(long) == long + "!")
        try await proxy.arm(.none)
        #expect(await client.ask("again") == "again!")
        #expect(proxy.traffic?.requests.count == 1 && proxy.traffic?.mostAtOnce == 1 && !proxy.hasStruck)
    }

    @Test func refusedAndBack() async throws {
        let open = try await client()
        #expect(await open.ask("a") == "a!")
        try await proxy.arm(.refused)
        #expect(await open.ask("b") == nil)
        await #expect(throws: ProxyError.self) { try await client() }
        try await proxy.arm(.none)
        #expect(await (try client()).ask("c") == "c!")
        #expect(server.heard == ["a", "c"])
    }

    @Test func aLostRequestNeverArrives() async throws {
        let client = try await client()
        try await proxy.arm(.lostRequest(2))
        #expect(await client.ask("a") == "a!")
        #expect(!proxy.hasStruck)
        #expect(await client.ask("b") == nil)
        #expect(proxy.hasStruck)
        #expect(await (try self.client()).ask("c") == "c!")
        #expect(server.heard == ["a", "c"])
    }

    @Test func anOutageBeginsInTheMiddle() async throws {
        let (client, other) = (try await client(), try await client())
        #expect(await other.ask("other") == "other!")
        try await proxy.arm(.outage(after: 1))
        #expect(await client.ask("a") == "a!")
        #expect(proxy.hasStruck)
        #expect(await client.ask("b") == nil)
        #expect(await other.ask("c") == nil)
        await #expect(throws: ProxyError.self) { try await self.client() }
        try await proxy.arm(.none)
        #expect(await (try self.client()).ask("d") == "d!")
        #expect(server.heard == ["other", "a", "d"])
    }

    @Test func aLostAnswersRequestArrives() async throws {
        let client = try await client()
        #expect(await client.ask("before") == "before!")
        try await proxy.arm(.lostAnswer(1))
        #expect(await client.ask("a") == nil)
        #expect(proxy.hasStruck && server.heard == ["before", "a"])
        #expect(await (try self.client()).ask("b") == "b!")
    }

    @Test func aLateRequestArrivesWithoutItsClient() async throws {
        let client = try await client()
        try await proxy.arm(.lateRequest(1, by: .milliseconds(200)))
        async let answer = client.ask("late")
        try await Task.sleep(for: .milliseconds(50))
        #expect(server.heard.isEmpty)
        client.close()
        #expect(await answer == nil)
        try await proxy.arm(.none)
        for _ in 0..<200 where server.heard.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        #expect(server.heard == ["late"])
    }

    @Test func slowAnswersAndSilence() async throws {
        let client = try await client()
        try await proxy.arm(.slowAnswers(.milliseconds(150)))
        let begun = ContinuousClock.now
        let other = try await self.client()
        async let first = client.ask("a")
        async let second = other.ask("b")
        #expect(await [first, second] == ["a!", "b!"])
        let time = ContinuousClock.now - begun
        #expect(time >= .milliseconds(150) && proxy.traffic?.mostAtOnce == 2)
        try await proxy.arm(.silent)
        async let silence = client.ask("c")
        try await Task.sleep(for: .milliseconds(100))
        #expect(proxy.hasStruck && server.heard.count == 2)
        try await proxy.arm(.none)
        #expect(await silence == nil)
        #expect(await (try self.client()).ask("d") == "d!")
        #expect(!server.heard.contains("c"))
    }

    @Test func whatOneConnectionSendsAheadIsNotAtOnce() async throws {
        let client = try await client()
        try await proxy.arm(.slowAnswers(.milliseconds(500)))
        for (count, line) in ["a", "b", "c"].enumerated() {
            client.send(line)
            for _ in 0..<200 where server.heard.count <= count { try await Task.sleep(for: .milliseconds(10)) }
            // Its answer is on the way, and held.
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(server.heard == ["a", "b", "c"] && proxy.traffic?.requests.count ?? 0 > 1 && proxy.traffic?.mostAtOnce == 1)
    }

    @Test func anAnswerIsHeldUntilSomethingHasHappened() async throws {
        let client = try await client()
        let happened = Mutex(false)
        try await proxy.arm(
            .heldAnswer(2) {
                try? await Task.sleep(for: .milliseconds(50))
                happened.withLock { $0 = true }
            })
        #expect(await client.ask("a") == "a!")
        #expect(!happened.withLock { $0 })
        #expect(await client.ask("b") == "b!")
        #expect(happened.withLock { $0 })
        // And not longer than a second.
        try await proxy.arm(.heldAnswer(1) { try? await Task.sleep(for: .seconds(30)) })
        let begun = ContinuousClock.now
        #expect(await client.ask("c") == "c!")
        #expect(ContinuousClock.now - begun < .seconds(10))
    }

    @Test func nobodyThere() async throws {
        let spare = try Socket.listen(port: 0)
        Socket.end(spare.descriptor)
        let proxy = try TCPProxy(to: "127.0.0.1", Int(spare.port))
        let client = try await EchoClient(port: proxy.port)
        #expect(await client.ask("a") == nil)
        #expect(throws: ProxyError.self) { try TCPProxy(to: "127.0.0.1", 70_000) }
    }
}
