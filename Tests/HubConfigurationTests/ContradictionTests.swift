import Testing

struct ContradictionTests {
    @Test func aManifestThatContradictsItselfIsAMistakeOfEveryDriver() throws {
        let folder = try Folder(soundFiles.merging(["erp.key": "contradict yourself\n"]) { $1 })
        #expect(
            folder.mistakes() == [
                "hub.yaml:9:8: applications.erp: the manifest of the driver fake-erp contradicts itself: limits below 1 would let nothing "
                    + "through; partner: new may go to old, which is no state of its own in transitions"
            ])
    }
}
