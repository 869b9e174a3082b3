import Foundation
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

@Suite(.serialized) struct HookTests {
    @Test func aHookRingsAndIsAnsweredAtOnce() async throws {
        let office = try Office()
        try office.start()
        let begun = ContinuousClock.now
        for _ in 0..<20 {
            let reply = try await office.send(.POST, "/v1/hooks/crm?token=\(Office.bell)", body: "what it says does not matter")
            #expect(reply.status == 202, "\(reply.body)")
        }
        #expect(ContinuousClock.now - begun < .seconds(5))
        #expect(try await office.send(.POST, "/v1/hooks/crm", token: Office.bell).status == 202)
        #expect(try await office.send(.POST, "/v1/hooks/crm", token: Office.publisher).status == 202)
    }

    @Test func onlyATokenThatCanDoNothingElseMayStandInTheAddress() async throws {
        let office = try Office()
        try office.start()
        #expect(try await office.send(.POST, "/v1/hooks/crm?token=\(Office.publisher)").status == 401)
        #expect(try await office.send(.POST, "/v1/hooks/crm").status == 401)
        #expect(try await office.send(.POST, "/v1/hooks/erp?token=\(Office.bell)").status == 403)
        #expect(try await office.send(.POST, "/v1/events/crm?token=\(Office.bell)", body: "{}").status == 401)
    }

    @Test func whatIsNotCapturedHereIsSaid() async throws {
        let office = try Office()
        try office.start(captures: false)
        let reply = try await office.send(.POST, "/v1/hooks/crm", token: Office.bell)
        #expect(reply.status == 404 && reply["detail"].text?.contains("is not captured by this hub") == true, "\(reply.body)")
    }
}
