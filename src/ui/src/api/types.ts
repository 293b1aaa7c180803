/** What the daemon says, by the names that its document has for it. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Problem = Schemas["Problem"];
export type RigStatus = Schemas["RigStatus"];
export type StreamMessage = Schemas["StreamMessage"];
/** An event of the stream. */
export type Numbered = Extract<StreamMessage, { type: "event" }>;
export type CameraStatus = Schemas["CameraStatus"];
export type Progress = Schemas["Progress"];
export type InlinePlan = Schemas["InlinePlan"];
export type PlanInfo = Schemas["PlanInfo"];
export type PlanDetail = Schemas["PlanDetail"];
export type PlanPoint = Schemas["PlanPoint"];
export type ScanPage = Schemas["ScanPage"];
export type ScanSummary = Schemas["ScanSummary"];
export type ScanDetail = Schemas["ScanDetail"];
export type ScanState = Schemas["ScanState"];
export type JournalNote = Schemas["Note"];
export type Shot = Schemas["Shot"];
export type FrameFacts = Schemas["FrameFacts"];
export type DescriptionChanges = Schemas["DescriptionChanges"];
export type ExportFormat = Schemas["ExportFormat"];
export type Poses = Schemas["Poses"];
export type ModelNumbers = Schemas["ModelNumbers"];
export type Proposal = Schemas["Proposal"];
export type MaskList = Schemas["MaskList"];
export type PlanReference = Schemas["PlanReference"];
export type Verified = Schemas["Verified"];
export type WorkshopJob = Schemas["WorkshopJob"];
export type WorkshopFile = Schemas["WorkshopFile"];
export type Axes = Schemas["Axes"];
export type AxisInfo = Schemas["AxisInfo"];
export type CameraInfo = Schemas["CameraInfo"];
export type Control = Schemas["Control"];
export type Controls = Schemas["Controls"];
export type Capture = Schemas["Capture"];
export type Tested = Schemas["Tested"];
export type LiveMessage = Schemas["LiveMessage"];
export type LiveStats = Schemas["LiveStats"];
/** Whether a live view goes on. */
export type ViewState = Omit<Extract<LiveMessage, { type: "state" }>, "type">;
export type SetupState = Schemas["SetupState"];
export type SetupQuestion = Schemas["SetupQuestion"];
export type SetupChoice = Schemas["SetupChoice"];
export type TrialPart = Schemas["TrialPart"];
export type TrialResult = Schemas["TrialResult"];
export type Configuration = Schemas["Configuration"];
export type Setting = Schemas["Setting"];
export type ConfigEdit = Schemas["ConfigEdit"];
export type ConfigChange = Schemas["Change"];
export type ConfigChecked = Schemas["Checked"];
export type ConfigChanged = Schemas["Changed"];
export type ConfigProblem = Schemas["ConfigProblem"];
export type CalibrationDetail = Schemas["CalibrationDetail"];
export type CalibrationList = Schemas["CalibrationList"];
export type CalibrationState = Schemas["CalibrationState"];
export type RigNode = Schemas["Nodes"]["nodes"][number];
export type TuningAxis = Schemas["TuningAxis"];
export type TuningState = Schemas["TuningState"];
export type Preflight = Schemas["Preflight"];
export type Finding = Schemas["PreflightFinding"];
