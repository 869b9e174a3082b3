import Testing

@testable import Odoo

@Suite struct KeyRangesTests {
    @Test func textAndBack() throws {
        let ranges = KeyRanges([9, 1, 2, 3, 7, 8, 12])
        #expect(ranges.text == "1-3,7-9,12")
        #expect(KeyRanges(text: ranges.text) == ranges)
        #expect(KeyRanges(text: "") == KeyRanges())
        #expect(KeyRanges(text: "3-1") == nil)
        #expect(KeyRanges(text: "5,4") == nil)
    }

    @Test func differencesAndUnions() {
        let ranges = KeyRanges([1, 2, 3, 7])
        #expect(ranges.subtracting(KeyRanges([2, 7, 9])) == [1, 3])
        #expect(ranges.union([4, 6, 2]) == KeyRanges([1, 2, 3, 4, 6, 7]))
        #expect(ranges.without([2]) == KeyRanges([1, 3, 7]))
        #expect(ranges.above(2) == [3, 7] && ranges.above(7) == [] && ranges.above(0) == [1, 2, 3, 7])
        #expect(ranges.contains(3) && !ranges.contains(4) && !ranges.contains(8))
    }
}
