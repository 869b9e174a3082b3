import Foundation
import HubBus
import HubConfiguration
import HubDriver
import HubModel
import HubOperations
import HubStore
import NIOCore
import NIOHTTP1
import NIOPosix
import ReferenceApplication
import ReferenceCRM
import ReferenceERP
import Testing

@Suite(.serialized) struct ConnectionTests {
    /// Sends bytes as they are, and gives what came back before the connection was closed.
    private static func raw(_ port: Int, _ text: String) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var answer = ""
            for try await part in inbound { answer += String(buffer: part) }
            return answer
        }
    }

    @Test func aClientThatTricklesIsCutOff() async throws {
        let office = try Office()
        var patience = HTTPListener.Patience()
        patience.idle = .milliseconds(400)
        patience.body = .milliseconds(400)
        try office.start(captures: false, patience: patience)
        let heads = [
            "POST /v1/events/crm HTTP/1.1\r\nHost: x\r\n",
            "POST /v1/events/crm HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(Office.publisher)\r\nContent-Length: 100\r\n\r\nbegun",
        ]
        for head in heads {
            let begun = ContinuousClock.now
            let answer = try? await Self.raw(office.port, head)
            #expect(ContinuousClock.now - begun < .seconds(5))
            #expect(answer?.contains(" 20") != true, "\(answer ?? "")")
        }
        #expect(try await office.send(.GET, "/health").status == 200, "others go on")
    }

    @Test func headersAreBounded() async throws {
        let office = try Office()
        try office.start(captures: false)
        let head = "GET /health HTTP/1.1\r\nHost: x\r\nX-Long: \(String(repeating: "y", count: 40_000))\r\n\r\n"
        let answer = try? await Self.raw(office.port, head)
        #expect(answer?.contains("200 OK") != true, "\(answer ?? "")")
        #expect(try await office.send(.GET, "/health").status == 200)
    }

    @Test func requestsUnderWayEndBeforeTheListenerDoes() async throws {
        let office = try Office()
        let article = try await office.erp.createArticle(["code": "wid-1", "name": "Widget", "price": 5])
        try office.start()
        let question: Value = ["product": .string("native:\(article)")]
        try await office.eventually("it answers") { try await office.ask("price", question).status == 200 }
        try await office.erp.file.setFaults(FaultPlan(seed: 3, latency: .milliseconds(800)))
        let client = office.client
        async let reply = client.ask("price", question, headers: ["Deadline": "5s"])
        try await Task.sleep(for: .milliseconds(100))
        let listener = try #require(office.listener)
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                listener.stop()
                continuation.resume()
            }
        }
        #expect(try await reply.status == 200)
    }

    @Test func anAddressThatIsTakenIsSaid() async throws {
        let office = try Office()
        try office.start(captures: false)
        let hub = try #require(office.hub)
        var settings = try #require(try office.configuration().http)
        settings.port = office.port
        let second = try HTTPListener(hub: hub, settings: settings)
        #expect {
            try second.start()
        } throws: { error in
            "\(error)".contains("cannot listen at 127.0.0.1:\(office.port) (http.listen)")
        }
        second.stop()
    }
}
