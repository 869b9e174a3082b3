import Foundation
import HTTPApplication
import HubDriver
import HubModel
import Testing

@Suite("HTTP connection")
struct HTTPConnectionTests {
    private func connection(_ url: String, maxAnswer: Int = 1 << 20) throws -> HTTPConnection {
        HTTPConnection(try HTTPSettings(url: url, maxAnswer: maxAnswer, connectTime: .seconds(2)))
    }

    private let call = HTTPCall.post("/x", json: ["a": .number(Number(110, scale: 2))], time: .seconds(3))

    private func failure(_ connection: HTTPConnection, _ call: HTTPCall) async -> HTTPFailure? {
        await failure { () async throws(HTTPFailure) in _ = try await connection.send(call) }
    }

    @Test("An answer comes back with status, headers and exact numbers, also gzipped")
    func answers() async throws {
        let zipped: [UInt8] = [
            31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 171, 86, 202, 83, 178, 50, 212, 51, 52, 168, 5, 0, 37, 255, 113, 113, 10, 0, 0, 0,
        ]
        let server = try TinyServer { request in
            request.hasPrefix("POST /x ")
                ? [TinyServer.reply(409, ["Content-Encoding: gzip", "X-Mark: 7"], zipped)]
                : [TinyServer.reply(200, [], Array("[1.50]".utf8))]
        }
        let connection = try connection(server.url + "/")
        let reply = try await connection.send(call)
        #expect(reply.status == 409 && !reply.isSuccess)
        #expect(reply.header("x-mark") == "7")
        #expect(JSONText.text(try reply.json()) == #"{"n":1.10}"#)
        let second = try await connection.send(.get("/y?q=\(HTTPCall.encoded("a b/ü"))", time: .seconds(3)))
        #expect(JSONText.text(try second.json()) == "[1.50]")
        #expect(server.seen.count == 2)
        #expect(server.seen[0].contains(#"{"a":1.10}"#))
        #expect(server.seen[0].lowercased().contains("accept-encoding: gzip"))
        #expect(server.seen[1].hasPrefix("GET /y?q=a%20b%2F%C3%BC HTTP/1.1"))
        await connection.close()
        #expect(await failure(connection, call)?.kind == .unreachable)
    }

    @Test("A refused connection, an unknown name and a failed handshake had surely no effect")
    func unreachable() async throws {
        let server = try TinyServer { _ in [.close] }
        let dead = server.port
        let plain = try TinyServer { _ in [TinyServer.reply(200, [], [])] }
        server.stop()
        for url in ["http://127.0.0.1:\(dead)", "http://no-such-host.invalid", "https://127.0.0.1:\(plain.port)"] {
            let connection = try connection(url)
            let failure = try #require(await failure(connection, call))
            #expect(failure.kind == .unreachable && !failure.mayHaveEffect, "\(url): \(failure)")
            #expect(failure.driverError.code == .unreachable)
            await connection.close()
        }
    }

    @Test("A request that was sent and not answered may have had an effect", arguments: [0, 1, 2, 3])
    func noAnswer(kind: Int) async throws {
        let ends: [[TinyServer.Step]] = [
            [.close], [.reset], [.wait(milliseconds: 6000)],
            [.bytes(Array("HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nabc".utf8)), .close],
        ]
        let server = try TinyServer { _ in ends[kind] }
        let connection = try connection(server.url)
        var call = call
        // Long enough for a busy machine to send it: what is not sent in time surely had no effect.
        call.time = .seconds(3)
        let failure = try #require(await failure(connection, call))
        #expect(failure.kind == .noAnswer && failure.mayHaveEffect, "\(failure)")
        #expect(server.seen.count == 1)
        await connection.close()
    }

    @Test("A call that is called off ends at once, and may have had an effect where it was sent", arguments: [true, false])
    func calledOff(isSent: Bool) async throws {
        let server = try TinyServer { _ in [.wait(milliseconds: 2000)] }
        let connection = try connection(server.url)
        var call = call
        call.time = .seconds(10)
        let sent = call
        let start = ContinuousClock.now
        let task = Task { await self.failure(connection, sent) }
        if isSent { while server.seen.isEmpty { await Task.yield() } }
        task.cancel()
        let failure = try #require(await task.value)
        #expect(ContinuousClock.now - start < .seconds(2))
        #expect(failure.message.contains("called off"), "\(failure)")
        if isSent { #expect(failure.kind == .noAnswer) }
        await connection.close()
    }

    @Test("A POST without a body may have had an effect as soon as it is sent", arguments: [nil, []] as [[UInt8]?])
    func withoutBody(body: [UInt8]?) async throws {
        let server = try TinyServer { _ in [.close] }
        let connection = try connection(server.url)
        let call = HTTPCall("POST", "/x", body: body, time: .seconds(3))
        #expect(await failure(connection, call)?.kind == .noAnswer)
        #expect(server.seen.count == 1)
        await connection.close()
    }

    @Test("Work done together stays on one thread, throws its own errors, and goes on where the connection is closed")
    func together() async throws {
        let server = try TinyServer { request in [TinyServer.reply(200, [], Array(request.utf8.suffix(3)))] }
        let connection = try connection(server.url)
        let call = call
        let threads = try await connection.together { () async throws(HTTPFailure) -> Set<UInt> in
            var threads: Set<UInt> = []
            for _ in 0..<5 {
                _ = try await connection.send(call)
                threads.insert(pthread_self())
            }
            return threads
        }
        #expect(threads.count == 1 && server.seen.count == 5)
        await connection.close()
        let failure = await self.failure { () async throws(HTTPFailure) in
            try await connection.together { () async throws(HTTPFailure) in _ = try await connection.send(call) }
        }
        #expect(failure?.kind == .unreachable)
    }

    private func failure(_ body: () async throws(HTTPFailure) -> Void) async -> HTTPFailure? {
        do throws(HTTPFailure) {
            try await body()
            return nil
        } catch { return error }
    }

    @Test("Many addresses and many calls at once are kept apart")
    func manyAddresses() async throws {
        let server = try TinyServer { request in
            [TinyServer.reply(200, [], Array(request.split(separator: " ")[1].utf8))]
        }
        let connection = try connection(server.url)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for number in 0..<50 {
                        let path = "/\(worker)/\(number % 40)"
                        let reply = try await connection.send(HTTPCall("GET", path, time: .seconds(10)))
                        #expect(String(decoding: reply.body, as: UTF8.self) == path)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(server.seen.count == 200)
        await connection.close()
    }

    @Test("Headers are found in any case of letters, and by their whole name")
    func headerNames() {
        let reply = HTTPReply(status: 200, headers: [.init("X-Marks", "2"), .init("x-MARK", "1"), .init("X-Mark@", "3")], body: [])
        #expect(reply.header("X-Mark") == "1" && reply.header("x-marks") == "2" && reply.header("X-Mark`") == nil)
    }

    @Test("A connection that the server closed while it was idle is not answered for, and the request is not sent twice")
    func closedWhileIdle() async throws {
        let server = try TinyServer { _ in [TinyServer.reply(200, [], []), .close] }
        let connection = try connection(server.url)
        for _ in 0..<5 {
            _ = await failure(connection, call)
        }
        #expect(server.seen.count <= 5)
        await connection.close()
    }

    @Test("An answer over the limit is refused, also one that grows by decompression")
    func tooLong() async throws {
        let zipped: [UInt8] =
            [31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 237, 193, 49, 1, 0, 0, 0, 194, 160, 172, 235, 95, 194, 26, 30, 64, 1]
            + [UInt8](repeating: 0, count: 96) + [0, 175, 6, 135, 250, 226, 27, 160, 134, 1, 0].suffix(10)
        let server = try TinyServer { request in
            request.contains("/x")
                ? [TinyServer.reply(200, [], [UInt8](repeating: 65, count: 5000))]
                : [TinyServer.reply(200, ["Content-Encoding: gzip"], zipped)]
        }
        let connection = try connection(server.url, maxAnswer: 4000)
        #expect(await failure(connection, call)?.kind == .unusable)
        let second = try #require(await failure(connection, .get("/y", time: .seconds(3))))
        #expect(second.kind == .unusable, "\(second)")
        await connection.close()
    }

    @Test("Redirects are answers")
    func redirects() async throws {
        let server = try TinyServer { _ in [TinyServer.reply(302, ["Location: /elsewhere"], [])] }
        let connection = try connection(server.url)
        #expect(try await connection.send(call).status == 302)
        #expect(server.seen.count == 1)
        await connection.close()
    }

    @Test("A connection that is never used needs no closing")
    func unused() throws { _ = try connection("https://erp.example") }

    @Test(
        "What is no address is refused",
        arguments: ["", "erp.example", "ftp://x", "https://", "https://a b", "http://u:p@h", "http://h/?a=1"])
    func addresses(_ url: String) {
        #expect(throws: DriverError.self) { try HTTPSettings(url: url) }
    }

    @Test("Retry-After is seconds or a moment, within an hour")
    func retryAfter() {
        let now = Instant(milliseconds: 784_111_777_000)  // Sun, 06 Nov 1994 08:49:37 GMT
        func reply(_ status: Int, _ text: String?) -> HTTPReply {
            HTTPReply(status: status, headers: text.map { [.init("retry-after", $0)] } ?? [], body: [])
        }
        #expect(reply(429, "7").retryAfter(now: now) == .seconds(7))
        #expect(reply(503, "Sun, 06 Nov 1994 08:50:37 GMT").retryAfter(now: now) == .seconds(60))
        #expect(reply(503, "Sun, 06 Nov 1994 08:40:37 GMT").retryAfter(now: now) == .zero)
        #expect(reply(429, "999999999").retryAfter(now: now) == .seconds(3600))
        #expect(reply(429, nil).retryAfter(now: now, otherwise: .seconds(2)) == .seconds(2))
        #expect(reply(429, "soon").retryAfter(now: now, otherwise: .seconds(2)) == .seconds(2))
        #expect(reply(200, "7").retryAfter(now: now) == nil)
    }
}
