import fs from "fs"; import x from "../x"; import { y } from "./nope"; import { TopologyBulder } from "topomotion";
