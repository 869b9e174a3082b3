import Foundation
import HubDriver
import HubModel
import Testing

@testable import ProcessDriver
@testable import StandIns

@Suite("A process's description", .enabled(if: Hostile.isPossible, "skipped: there is no python3"))
struct HandshakeTests {
    private func refusal(_ mode: String, _ change: (inout Launch) -> Void = { _ in }) throws -> DriverError {
        do {
            _ = try Bench(mode, change: change)
        } catch let error as DriverError {
            return error
        }
        Issue.record("\(mode) was accepted")
        return DriverError(.configuration, "")
    }

    @Test("that contradicts itself is refused, with everything that is wrong")
    func contradiction() throws {
        let error = try refusal("contradiction")
        #expect(error.code == .configuration)
        for part in [
            "the manifest contradicts itself", "thing: documents are created, and the driver cannot look up",
            "the driver cannot read what came of a call without an answer", "the application refuses deletions",
            "open may go to done, which is no state of its own", "window does not say what",
        ] {
            #expect(error.message.contains(part), "\(part) in \(error.message)")
        }
    }

    @Test("with a member that the protocol does not know is refused")
    func misspelt() throws {
        #expect(try refusal("misspelt").message.contains("manifest.entities[0] has a member hasTokens that the protocol does not know"))
    }

    @Test("of another protocol is refused")
    func version() throws {
        #expect(try refusal("version").message.contains("it speaks protocol 2, and this hub 1"))
    }

    @Test("that never comes, or comes after other words, ends the start with the reason")
    func never() throws {
        #expect(try refusal("exit").message.contains("ended with exit code 3; its last words: no such module: shop"))
        #expect(try refusal("mute") { $0.bounds.start = .milliseconds(300) }.message.contains("did not describe itself within"))
        #expect(try refusal("chatty").message.contains("no answer (it is no JSON"))
        #expect(try refusal("ok") { $0.command = ["./nothing"] }.message.contains("./nothing cannot be started: No such file"))
        #expect(try refusal("ok") { $0.folder = "/nowhere/at/all" }.message.contains("there is no folder /nowhere/at/all"))
    }

    @Test("that is another one after a restart stops the calls until the hub is restarted")
    func otherwise() async throws {
        let bench = try Bench("otherwise")
        #expect(await bench.failure()?.code == .noAnswer)
        var last: DriverError?
        for _ in 0..<40 {
            last = await bench.failure()
            if last?.message.contains("describes itself otherwise") == true { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(last?.message.contains("describes itself otherwise than when the hub was started") == true, "\(String(describing: last))")
        #expect(last?.code == .unreachable || last?.code == .configuration, "nothing had been written: \(String(describing: last))")
        await bench.driver.close()
    }

    @Test(
        "says how often the hub looks for changes, and nothing beyond a day",
        arguments: [(nil, 0), (250, 250), (-1, nil), (86_400_001, nil)] as [(Int64?, Int64?)])
    func pollTime(_ written: Int64?, _ milliseconds: Int64?) throws {
        let entity: Value = [
            "native": "thing", "entity": "thing", "operations": [], "createIsRepeatable": false, "hasToken": true, "tellsReference": false,
            "tellsDeletes": false, "delete": "refuses",
        ]
        var manifest: Fields = [
            "driver": "d", "version": "1", "summary": "things", "entities": [entity], "settleMilliseconds": 1000, "answerMilliseconds": 500,
            "window": "none",
        ]
        manifest["pollMilliseconds"] = written.map { .number(Number($0)) }
        let description: Value = ["protocol": 1, "manifest": .object(manifest), "capabilities": ["capture"]]
        if let milliseconds {
            #expect(try Description(description).manifest.pollTime == .milliseconds(milliseconds))
        } else {
            #expect { try Description(description) } throws: { "\($0)".contains("pollMilliseconds") }
        }
    }

    @Test("decides which capabilities the driver has")
    func capabilities() async throws {
        let full = try Bench("ok")
        #expect(full.driver is any LookingUp && full.driver is any Reading && full.driver is any Paging && full.driver is any Capturing)
        await full.driver.close()
        let bare = try Bench("bare")
        #expect(bare.driver is any Reading)
        #expect(!(bare.driver is any LookingUp) && !(bare.driver is any Paging) && !(bare.driver is any Capturing))
        await bare.driver.close()
    }
}

@Suite("A process that behaves", .enabled(if: Hostile.isPossible, "skipped: there is no python3"))
struct CallTests {
    @Test("is asked everything that a driver is asked")
    func calls() async throws {
        let bench = try Bench("ok", settings: ["url": "http://shop.example"], companies: ["fr": "1"])
        let driver = bench.driver
        #expect(try await driver.probe() == ApplicationIdentity(instance: "hostile-1", version: "1", details: [bench.folder]))
        let document = NativeDocument(key: "7", token: "1", fields: ["price": 1])
        #expect(try await driver.apply([bench.delivery(), bench.delivery()]) == [.written(document), .written(document)])
        let reading = try #require(driver as? any Reading)
        let read = try await reading.read([
            ReadRequest(native: "thing", company: nil, key: "7"), .init(native: "thing", company: nil, key: "0"),
        ])
        #expect(read == [document, nil])
        let looking = try #require(driver as? any LookingUp)
        #expect(try await looking.lookUp([LookUp(native: "thing", company: "1", reference: "product-1-7")]) == [[document]])
        let paging = try #require(driver as? any Paging)
        let page = try await paging.page(native: "thing", company: nil, after: nil, limit: 1)
        #expect(page.documents == [document] && page.next == "7")
        #expect(try await paging.page(native: "thing", company: nil, after: "7", limit: 1).next == nil)
        let capturing = try #require(driver as? any Capturing)
        let batch = try await capturing.capture(after: nil, limit: 10)
        let event = ChangeEvent(
            type: "thing", operation: .upsert, key: "7", position: SourcePosition(minor: 12), token: "1",
            time: Instant(milliseconds: 1000), reference: "product-1-7")
        #expect(batch.changes == [CapturedChange(event: event, fields: ["price": 1])] && batch.position == "12")
        #expect(bench.text("settings").contains("\"settings\": {\"url\": \"http://shop.example\"}"))
        #expect(bench.text("settings").contains("\"companies\": {\"fr\": \"1\"}"))
        await driver.close()
        #expect(bench.text("ended") == "\n", "the end of its input told it to end")
        #expect(await bench.failure()?.code == .unreachable)
    }

    @Test("sees no variable of the environment but plain ones and those named")
    func environment() async throws {
        setenv("MULTIPOINT_TEST_SECRET", "s3cret", 1)
        setenv("MULTIPOINT_TEST_NAMED", "told", 1)
        let bench = try Bench("ok", settings: ["environment": "MULTIPOINT_TEST_NAMED"])
        #expect(bench.text("environment").contains("told"))
        #expect(!bench.text("environment").contains("s3cret"))
        await bench.driver.close()
        #expect(throws: DriverError.self) { try Bench("ok", settings: ["environment": "NO_SUCH_VARIABLE"]) }
    }

    @Test("is never given more calls at once than it bears")
    func crowd() async throws {
        let bench = try Bench("crowd")
        let began = ContinuousClock.now
        let failures = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<6 { group.addTask { (try? await bench.driver.apply([bench.delivery()])) == nil } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(failures == 0)
        #expect(began.duration(to: .now) >= .milliseconds(550), "it works them one after another")
        await bench.driver.close()
    }

    @Test("that does not end by itself is ended by SIGTERM, at last by SIGKILL")
    func stubborn() async throws {
        let bench = try Bench("stubborn")
        let began = ContinuousClock.now
        await bench.driver.close()
        #expect(began.duration(to: .now) < .seconds(15), "SIGKILL came after twice the grace")
        for pid in bench.pids { #expect(await isGone(pid)) }
    }

    @Test("goes with its driver, closed or not")
    func forgotten() async throws {
        var pids: [Int32] = []
        do {
            let bench = try Bench("ok")
            pids = bench.pids
        }
        #expect(pids.count == 1)
        for pid in pids { #expect(await isGone(pid)) }
    }

    @Test("and a call called off: before it was written it had no effect, afterwards nobody knows")
    func cancellation() async throws {
        let bench = try Bench("hang")
        let call = Task { await bench.failure() }
        for _ in 0..<50 where bench.text("got").isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        call.cancel()
        #expect(await call.value?.code == .noAnswer)
        let early = Task { () -> DriverError? in
            while !Task.isCancelled { await Task.yield() }
            return await bench.failure()
        }
        early.cancel()
        #expect(await early.value?.code == .unreachable)
        await bench.driver.close()
    }
}
